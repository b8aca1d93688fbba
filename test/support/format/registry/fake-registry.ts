/**
 * A schema registry as Confluent documents it (https://docs.confluent.io/platform/current/schema-registry/develop/api.html), for what a real one does
 * not do when it is asked to: fail. apicurio.test.ts asks a real one.
 */
export interface RegisteredSchema {
  subject: string
  version: number
  id: number
  schemaType: string
  schema: string
  references: readonly { name: string; subject: string; version: number }[]
  /** Softly: its id still leads to it, its subject and version only on request. */
  isDeleted?: boolean
}

type Answer = Response | Promise<Response>

const contentType = 'application/vnd.schemaregistry.v1+json'

export class FakeRegistry implements AsyncDisposable {
  /** Paths, in the order in which they were asked for. */
  readonly asked: string[] = []
  readonly authorizations: (string | null)[] = []
  readonly schemas: RegisteredSchema[]
  /** Answers instead of the registry; undefined where the registry is to answer. */
  fault: ((path: string) => Answer | undefined) | undefined
  #server: Bun.Server<undefined> | undefined
  #port = 0

  constructor(schemas: readonly RegisteredSchema[] = []) {
    this.schemas = [...schemas]
    this.start()
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/base`
  }

  /** At the same port as before. */
  start(): void {
    this.#server = Bun.serve({ hostname: '127.0.0.1', port: this.#port, fetch: (request) => this.#answer(request) })
    this.#port = this.#server.port!
  }

  async stop(): Promise<void> {
    await this.#server?.stop(true)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #answer(request: Request): Answer {
    const url = new URL(request.url)
    const path = url.pathname.replace(/^\/base/, '')
    this.asked.push(path)
    this.authorizations.push(request.headers.get('Authorization'))
    return this.fault?.(path) ?? this.#find(path, url.searchParams.get('deleted') === 'true')
  }

  #find(path: string, withDeleted: boolean): Response {
    const [, kind, name = '', versions, version] = path.split('/')
    if (kind === 'schemas') {
      const found = this.schemas.find(({ id }) => id === Number(versions))
      if (found === undefined) return problem(404, 40_403, 'Schema not found')
      const { schema, schemaType, references } = found
      // As the documentation has it: without a type it is Avro.
      return json({
        schema,
        ...(schemaType !== 'AVRO' && { schemaType }),
        ...(references.length > 0 && { references }),
      })
    }
    const ofSubject = this.schemas.filter(
      ({ subject, isDeleted = false }) => subject === decodeURIComponent(name) && (withDeleted || !isDeleted),
    )
    if (ofSubject.length === 0) return problem(404, 40_401, 'Subject not found')
    const found =
      version === 'latest' ? ofSubject.at(-1) : ofSubject.find((schema) => schema.version === Number(version))
    return found === undefined ? problem(404, 40_402, 'Version not found') : json(found)
  }
}

export function json(body: unknown): Response {
  return new Response(JSON.stringify(body), { headers: { 'Content-Type': contentType } })
}

export function problem(status: number, code: number, message: string): Response {
  return new Response(JSON.stringify({ error_code: code, message }), {
    status,
    headers: { 'Content-Type': contentType },
  })
}

/** An Avro schema of one field, under an id. */
export function avroSchema(id: number, field = 'a', subject = `s${id}`): RegisteredSchema {
  const schema = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: field, type: 'int' }] })
  return { subject, version: 1, id, schemaType: 'AVRO', schema, references: [] }
}
