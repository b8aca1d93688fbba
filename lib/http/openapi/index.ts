/**
 * The HTTP interface as an OpenAPI 3.1 document. Bounds, states and error codes are those of the code; test/http/openapi
 * compares routes and parameters, and sends every example to a store.
 */
import { entryPaths } from './entries.ts'
import { operationPaths } from './operations.ts'
import { refused } from './problems.ts'
import { schemas } from './schemas.ts'

const description = `The latest value of every key of a Kafka topic.

HEAD is possible wherever GET is: the same headers without a body. With SERVER_TOKEN every request needs the token,
except the probes and the page that a browser gets at \`/\`. Errors are problems of RFC 9457 with a \`code\`. The method QUERY (RFC 10008), which OpenAPI 3.1 has
no place for, is under \`x-oai-additionalOperations\`. Examples of one name belong together.`

/**
 * @param version of Latchkey
 * @param prefix before all paths; may be empty
 */
export function openapiText(version: string, prefix = ''): string {
  const document = {
    openapi: '3.1.1',
    info: { title: 'Latchkey', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: prefix === '' ? '/' : prefix }],
    security: [{}, { token: [] }],
    tags: [
      { name: 'entries', description: 'Reads of keys and values' },
      { name: 'changes', description: 'Streams of changes' },
      { name: 'operations', description: 'State, probes and metrics' },
    ],
    paths: { ...entryPaths(), ...operationPaths() },
    components: {
      schemas: schemas(),
      responses: {
        Refused: { ...refused(), description: `What any request may be answered. ${refused().description}` },
      },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'SERVER_TOKEN' } },
    },
  }
  return `${JSON.stringify(document, null, 2)}\n`
}
