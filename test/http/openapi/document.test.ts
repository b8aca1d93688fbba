/** The document against OpenAPI's own schema, and against the routes, parameters and error codes of the code. */
import { describe, expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { openapiText } from '../../../lib/http/openapi/index.ts'
import { tableBelow } from '../../setup/markdown.ts'
import { read, sourceFiles } from '../../style/repository.ts'
import { problemOf, serveFake } from '../../support/http/fake-store.ts'
import { examples, openapi, operations } from '../../support/http/openapi.ts'

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(openapiText('1.2.3')) as Record<string, unknown>)
  expect({ valid, errors }).toEqual({ valid: true, errors: undefined })
})

test('operations have different ids, and each has an example', () => {
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  const shown = new Set(examples.map(({ title }) => title.slice(0, title.indexOf(':'))))
  expect(operations.map(({ method, path }) => `${method} ${path}`).filter((one) => !shown.has(one))).toEqual([])
})

test('each example of a parameter or of a body belongs to an answer', () => {
  const lost = operations.flatMap(({ path, method, operation: { parameters = [], requestBody, responses } }) => {
    const contents = Object.values(responses).flatMap(({ content = {} }) => Object.values(content))
    const answered = new Set(contents.flatMap((media) => Object.keys(media.examples ?? {})))
    const named = [...parameters, ...Object.values(requestBody?.content ?? {})]
    return named
      .flatMap((one) => Object.keys(one.examples ?? {}))
      .filter((name) => !answered.has(name))
      .map((name) => `${method} ${path}: ${name}`)
  })
  expect(lost).toEqual([])
})

test('it needs the token, and names the prefix of a handler that has one', async () => {
  await using served = serveFake({ token: 'secret-secret-secret', prefix: '/kv' })
  expect(await problemOf(await fetch(`${served.url}/kv/openapi.json`))).toMatchObject({ code: 'unauthorized' })
  const headers = { authorization: 'Bearer secret-secret-secret' }
  const response = await fetch(`${served.url}/kv/openapi.json`, { headers })
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.json()).toMatchObject({ info: { version: '1.2.3' }, servers: [{ url: '/kv' }] })
})

describe('the document has what the code has, and nothing else', () => {
  test('routes', () => {
    const routed = [...read('lib/http/routes.ts').matchAll(/\broute\('([^']+)'/g)].map(([, path]) => path!)
    const prefixes = sources('lib/http/').flatMap((text) =>
      [...text.matchAll(/Prefix = '(\/[^']+)'/g)].map(([, one]) => one!),
    )
    expect(prefixes.toSorted()).toEqual(['/changes/', '/stores/'])
    const others = Object.keys(openapi.paths).filter((path) => !prefixes.some((prefix) => path.startsWith(prefix)))
    expect(others.toSorted()).toEqual(routed.map((path) => path.replaceAll(/:(\w+)/g, '{$1}')).toSorted())
  })

  test.each(Object.keys(openapi.paths))('methods of %s', async (path) => {
    await using served = serveFake()
    const target = path.replace('{id}', 'orders').replace('{key}', 'a')
    const response = await fetch(served.url + target, { method: 'PATCH' })
    expect(await problemOf(response)).toMatchObject({ code: 'method_not_allowed' })
    const methods = operations.filter((one) => one.path === path).map(({ method }) => method)
    const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    expect(response.headers.get('allow')!.split(', ').toSorted()).toEqual(allowed.toSorted())
  })

  test('query parameters of a store without a key in the path', async () => {
    const known = new Set(lookupParameters())
    for (const query of ['?keys=a&none=1', '?count&none=1', '?limit=1&none=1']) {
      for (const name of await knownParameters('/stores/orders', query)) known.add(name)
    }
    expect(queryParametersOf('GET', '/stores/{id}')).toEqual([...known].toSorted())
  })

  test('query parameters of the others', async () => {
    expect(queryParametersOf('GET', '/stores/{id}/{key}')).toEqual(lookupParameters().filter((name) => name !== 'key'))
    const body = { method: 'POST', body: '{"keys":[]}', headers: { 'content-type': 'application/json' } }
    const ofBody = await knownParameters('/stores/orders', '?none=1', body)
    expect(queryParametersOf('POST', '/stores/{id}')).toEqual(ofBody)
    expect(queryParametersOf('QUERY', '/stores/{id}')).toEqual(ofBody)
    expect(queryParametersOf('GET', '/changes/{id}')).toEqual(await knownParameters('/changes/orders', '?none=1'))
    const routed = sources('lib/http/').flatMap((text) =>
      [...text.matchAll(/query\['([^']+)'\]/g)].map(([, name]) => name!),
    )
    const documented = ['/', '/status-store/{id}', '/readyz'].flatMap((path) => queryParametersOf('GET', path))
    expect(documented.toSorted()).toEqual([...new Set(routed)].toSorted())
  })

  test('error codes', () => {
    const [, ...rows] = tableBelow(read('lib/http/README.md'), '## Error codes')
    const listed = rows.map(([code = '']) => code.replaceAll('`', ''))
    const problem = openapi.components.schemas['Problem'] as { properties: { code: { enum: string[] } } }
    expect(problem.properties.code.enum).toEqual(listed.toSorted())
  })
})

function queryParametersOf(method: string, path: string): string[] {
  const { operation } = operations.find((one) => one.method === method && one.path === path)!
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')
  return parameters.map(({ name }) => name).toSorted()
}

/** What a request with an unknown parameter is answered. */
async function knownParameters(path: string, query: string, init: RequestInit = {}): Promise<string[]> {
  await using served = serveFake()
  const { code, detail } = await problemOf(await fetch(served.url + path + query, init))
  expect(code).toBe('invalid_parameter')
  return detail
    .slice(detail.indexOf('there are ') + 'there are '.length)
    .split(', ')
    .toSorted()
}

/** A lookup passes over parameters that it does not know; each that it knows is a constant. */
function lookupParameters(): string[] {
  const found = sources('lib/http/').flatMap((text) =>
    [...text.matchAll(/^const parameter = '([a-z-]+)='$/gm)].map(([, name]) => name!),
  )
  return ['key', ...found].toSorted()
}

function sources(folder: string): string[] {
  return sourceFiles()
    .filter((path) => path.startsWith(folder))
    .map((path) => read(path))
}
