/**
 * Client of a schema registry, with Confluent's REST interface
 * (https://docs.confluent.io/platform/current/schema-registry/develop/api.html), which other registries support, too.
 * A response is one of three: the requested object; a statement that it does not exist (Refused); or trouble, which
 * says nothing about the object (Trouble). The last two must be distinguished: a refusal makes a record bad, trouble
 * makes it wait.
 */
import { messageOf } from '../../errors.ts'
import type { Json } from '../codec.ts'
import type { RegistryConfig } from '../formats-config.ts'
import { Refused, RegistryUnavailable } from './faults.ts'
import { readBounded } from './read-bounded.ts'

const accept =
  'application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json;q=0.9, application/json;q=0.8'
const timeoutMsDefault = 10_000
/** A schema of 1 MB in which every character is escaped. */
const answerBytesMax = 2_097_152

export class RegistryClient {
  /** Without credentials, for messages. */
  readonly url: string
  readonly #headers: Headers
  readonly #timeoutMs: number

  constructor({ url, credentials }: RegistryConfig, timeoutMs: number = timeoutMsDefault) {
    const base = new URL(url)
    base.username = base.password = base.search = base.hash = ''
    this.url = base.href.replace(/\/+$/, '')
    this.#headers = new Headers({ Accept: accept })
    if (credentials) this.#headers.set('Authorization', basic(credentials.user, credentials.password))
    this.#timeoutMs = timeoutMs
  }

  /**
   * @param path path below the registry's URL, with encoded parts
   * @returns the members of the JSON object in the response
   * @throws Refused if the object does not exist; Trouble
   */
  async get(path: string): Promise<Readonly<Record<string, Json>>> {
    const { response, text } = await this.#ask(path)
    const body = membersOf(text)
    if (response.status === 200) {
      if (body === undefined) {
        throw new RegistryUnavailable('its response is not a JSON object; check SCHEMA_REGISTRY_URL', true)
      }
      return body
    }
    throw faultOf(response, body)
  }

  async #ask(path: string): Promise<{ response: Response; text: string | undefined }> {
    const signal = AbortSignal.timeout(this.#timeoutMs)
    try {
      // Does not follow redirects: requests and credentials are only for the configured registry.
      const response = await fetch(`${this.url}${path}`, { headers: this.#headers, redirect: 'manual', signal })
      return { response, text: await readBounded(response, answerBytesMax) }
    } catch (error) {
      if (error instanceof Refused) throw error
      if (signal.aborted) throw new RegistryUnavailable(`no answer within ${this.#timeoutMs} ms`)
      const { code } = error as { code?: unknown }
      throw new RegistryUnavailable(`it cannot be reached: ${typeof code === 'string' ? code : messageOf(error)}`)
    }
  }
}

function faultOf(response: Response, body: Readonly<Record<string, Json>> | undefined): Error {
  const { status } = response
  const code = body?.['error_code']
  // 40401: subject, 40402: version, 40403: schema. A 404 without these codes comes from a proxy, or from a path that is
  // not a registry's.
  if (status === 404 && typeof code === 'number' && code > 40_400 && code < 40_500) return new Refused('not found')
  if (status === 401) {
    return new RegistryUnavailable(
      'it answers 401, it asks for other credentials: see SCHEMA_REGISTRY_CREDENTIALS',
      true,
    )
  }
  if (status === 403) {
    return new RegistryUnavailable('it answers 403, the user of SCHEMA_REGISTRY_CREDENTIALS may not read there', true)
  }
  if (status === 404) {
    return new RegistryUnavailable(
      'it answers 404, as a server that is not a registry does; check the path in SCHEMA_REGISTRY_URL',
      true,
    )
  }
  if (status >= 300 && status < 400) {
    return new RegistryUnavailable(
      `it redirects to ${originOf(response)}, which is not followed: set SCHEMA_REGISTRY_URL to it`,
      true,
    )
  }
  const detail = typeof code === 'number' && code !== status ? ` (error_code ${code})` : ''
  return new RegistryUnavailable(`it answers ${status}${detail}`)
}

function originOf(response: Response): string {
  try {
    return new URL(response.headers.get('Location') ?? '', response.url).origin
  } catch {
    return 'another place'
  }
}

function membersOf(text: string | undefined): Readonly<Record<string, Json>> | undefined {
  try {
    const json = JSON.parse(text ?? '') as Json
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, Json>)
      : undefined
  } catch {
    return undefined
  }
}

function basic(user: string, password: string): string {
  return `Basic ${new TextEncoder().encode(`${user}:${password}`).toBase64()}`
}
