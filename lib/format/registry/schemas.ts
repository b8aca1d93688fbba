/**
 * Compiled schemas of one registry, by id and by subject. All codecs of a thread that use the same registry share one
 * instance.
 */
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import type { Json } from '../codec.ts'
import type { RegistryConfig } from '../formats-config.ts'
import { addRegistryCheck } from '../registry-checks.ts'
import { addTroubles } from '../troubles.ts'
import { RegistryClient } from './client.ts'
import { compile, type CompiledSchema, type SchemaKind, schemaTypes } from './compile.ts'
import { Refused, RegistryUnavailable } from './faults.ts'
import { Fetched, type FetchedOptions } from './fetched.ts'

export interface SchemasOptions extends FetchedOptions {
  readonly timeoutMs?: number
}

/** A problem that makes records wait. */
export interface RegistryTrouble {
  readonly registry: string
  /** Such as `schema 7` or `the latest schema of subject orders-value`. */
  readonly what: string
  /** The rest of a sentence. */
  readonly problem: string
  /** Milliseconds since the epoch. */
  readonly since: number
}

type FetchedByKind = Readonly<Record<SchemaKind, Fetched<CompiledSchema>>>

const schemaCharactersMax = 1_048_576
const referencesMax = 100
const logIntervalMs = 10_000
const shared = new Map<string, Schemas>()

/** Returns the same instance for the same registry. */
export function schemasOf(registry: RegistryConfig): Schemas {
  const key = JSON.stringify([registry.url, registry.credentials?.user, registry.credentials?.password])
  const schemas = shared.get(key)
  if (schemas !== undefined) return schemas
  const added = new Schemas(registry)
  shared.set(key, added)
  addTroubles(() => added.troubles().map(sentence))
  addRegistryCheck(() => added.check())
  return added
}

function sentence({ registry, what, problem }: RegistryTrouble): string {
  return `Schema registry ${registry}, asked for ${what}: ${problem}; what needs it waits`
}

export class Schemas {
  readonly #client: RegistryClient
  /** A schema is compiled for its own kind only. Under another kind it is refused. */
  readonly #byId: FetchedByKind
  readonly #latest: FetchedByKind
  readonly #log = new RepeatedLog(loggerOf('registry'), logIntervalMs)
  readonly #troubles = new Map<string, RegistryTrouble>()
  /** Subjects whose latest schemas will be needed. */
  readonly #subjects = new Set<string>()

  constructor(registry: RegistryConfig, options: SchemasOptions = {}) {
    this.#client = new RegistryClient(registry, options.timeoutMs)
    const watcher = {
      trouble: (what: string, trouble: RegistryUnavailable) => this.#note(what, trouble),
      settled: (what: string) => this.#settle(what),
    }
    const fetchedByKind = () => ({
      avro: new Fetched<CompiledSchema>(watcher, options),
      protobuf: new Fetched<CompiledSchema>(watcher, options),
      json: new Fetched<CompiledSchema>(watcher, options),
    })
    this.#byId = fetchedByKind()
    this.#latest = fetchedByKind()
  }

  /** @throws SchemaPending; Error if the registry has no such schema, or one that cannot be used */
  byId(id: number, kind: SchemaKind): CompiledSchema {
    return this.#byId[kind].get(`schema ${id}`, async () =>
      this.#compiled(kind, id, await this.#client.get(`/schemas/ids/${id}`)),
    )
  }

  /**
   * Returns the schema that was the latest at the first request.
   * @throws SchemaPending, also while the subject does not exist: it may be registered later
   */
  latest(subject: string, kind: SchemaKind): CompiledSchema {
    const what = `the latest schema of subject ${subject}`
    return this.#latest[kind].get(what, () => this.#fetchLatest(subject, kind), false)
  }

  /** Sends no request. */
  willAsk(subject: string): void {
    this.#subjects.add(subject)
  }

  /**
   * Sends one request for each subject, without retries.
   * @returns sentences for the user
   * @throws Error if the registry does not respond like one
   */
  async check(): Promise<string[]> {
    const subjects = await Promise.all([...this.#subjects].map((subject) => this.#checkSubject(subject)))
    // The id does not matter: a response that there is no such schema is sufficient.
    if (subjects.length === 0) await this.#asked('schema 1', '/schemas/ids/1')
    return [`schema registry ${this.#client.url}: it answers${subjects.map((found) => `; ${found}`).join('')}`]
  }

  async #checkSubject(subject: string): Promise<string> {
    const what = `the latest schema of subject ${subject}`
    const answer = await this.#asked(what, `/subjects/${encodeURIComponent(subject)}/versions/latest`)
    return answer === undefined ? `subject ${subject} has no schema yet` : `${what} has id ${String(answer['id'])}`
  }

  /** @returns undefined if the object does not exist */
  async #asked(what: string, path: string): Promise<Readonly<Record<string, Json>> | undefined> {
    try {
      return await this.#client.get(path)
    } catch (error) {
      if (error instanceof Refused) return undefined
      const { url } = this.#client
      throw new Error(`Asking the schema registry ${url} for ${what}: ${(error as Error).message}`, { cause: error })
    }
  }

  troubles(): RegistryTrouble[] {
    return [...this.#troubles.values()]
  }

  async #fetchLatest(subject: string, kind: SchemaKind): Promise<CompiledSchema> {
    const answer = await this.#client.get(`/subjects/${encodeURIComponent(subject)}/versions/latest`)
    const { id } = answer
    if (typeof id !== 'number' || !Number.isInteger(id)) {
      throw new RegistryUnavailable('it answers a schema without an id', true)
    }
    const compiled = await this.#compiled(kind, id, answer)
    this.#byId[kind].keep(`schema ${id}`, compiled)
    return compiled
  }

  async #compiled(kind: SchemaKind, id: number, answer: Readonly<Record<string, Json>>): Promise<CompiledSchema> {
    const text = textOf(answer)
    const type = answer['schemaType'] ?? 'AVRO'
    if (type !== schemaTypes[kind]) throw new Refused(`of type ${String(type)}, where ${schemaTypes[kind]} is expected`)
    const references = new Map<string, string>()
    await this.#collect(answer, references, new Set())
    try {
      return compile(kind, id, text, references)
    } catch (error) {
      throw new Refused(`of no use: ${(error as Error).message}`)
    }
  }

  /**
   * Collects everything that a schema imports, by name, each import before the schema that imports it. If one name
   * leads to several schemas, the first in depth-first order is used, as in Confluent's registry.
   */
  async #collect(answer: Readonly<Record<string, Json>>, into: Map<string, string>, seen: Set<string>): Promise<void> {
    for (const { name, subject, version } of referencesOf(answer)) {
      if (seen.has(name)) continue
      if (seen.size >= referencesMax) throw new Refused(`with more than ${referencesMax} references`)
      seen.add(name)
      const referred = await this.#referred(subject, version)
      await this.#collect(referred, into, seen)
      into.set(name, textOf(referred))
    }
  }

  async #referred(subject: string, version: number): Promise<Readonly<Record<string, Json>>> {
    try {
      // Includes soft-deleted versions: other schemas may still refer to them.
      return await this.#client.get(`/subjects/${encodeURIComponent(subject)}/versions/${version}?deleted=true`)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      throw new Refused(`of no use: it refers to version ${version} of subject ${subject}, which is ${error.message}`)
    }
  }

  #note(what: string, { message }: RegistryUnavailable): void {
    const since = this.#troubles.get(what)?.since ?? Date.now()
    this.#troubles.set(what, { registry: this.#client.url, what, problem: message, since })
    this.#log.log(
      'warning',
      message,
      'Schema registry {url}, asked for {what}: {message}. Asking on; what needs it waits',
      {
        url: this.#client.url,
        what,
        message,
      },
    )
  }

  #settle(what: string): void {
    if (!this.#troubles.delete(what) || this.#troubles.size > 0) return
    loggerOf('registry').info('Schema registry {url}: all requests that waited for it are answered', {
      url: this.#client.url,
    })
  }
}

function textOf({ schema }: Readonly<Record<string, Json>>): string {
  if (typeof schema !== 'string') {
    throw new RegistryUnavailable('its answer has no schema; check SCHEMA_REGISTRY_URL', true)
  }
  if (schema.length > schemaCharactersMax) throw new Refused(`longer than ${schemaCharactersMax} characters`)
  return schema
}

function referencesOf({
  references,
}: Readonly<Record<string, Json>>): { name: string; subject: string; version: number }[] {
  if (!Array.isArray(references)) return []
  return references.map((reference: Json) => {
    const { name, subject, version } = (reference ?? {}) as Record<string, Json>
    if (typeof name !== 'string' || typeof subject !== 'string' || !Number.isInteger(version)) {
      throw new RegistryUnavailable('its answer has a reference without name, subject and version', true)
    }
    return { name, subject, version: version as number }
  })
}
