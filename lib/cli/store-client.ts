/** Requests to a running store. */
import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import type { ClientSettings } from '../config/index.ts'

/** Time until the head of an answer. */
const answerMaxMs = 30_000

/** There is no answer, or one that is an error. The message is for the user. */
export class NoAnswer extends Error {
  /** Of the answer; 0 if there is none. */
  readonly status: number
  /** Of the problem; empty if it is none. */
  readonly code: string

  constructor(message: string, status = 0, code = '') {
    super(message)
    this.status = status
    this.code = code
  }
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; start the store, or give --url',
  ENOTFOUND: 'there is no host of this name; correct --url or SERVER_BIND',
  EPROTO: 'the TLS handshake failed; a store without TLS needs http:',
  ECONNRESET: 'the connection was closed; a store with TLS needs https:',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; name it with NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority; name that with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority; name that with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an unknown authority; name that with NODE_EXTRA_CA_CERTS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
}

/** What to give, by the code of a problem. */
const hints: Readonly<Record<string, string>> = {
  unauthorized: 'SERVER_TOKEN_FILE or SERVER_TOKEN',
  store_not_found: 'its name by --store-id or STORE_ID',
}

export class StoreClient {
  readonly #settings: ClientSettings

  constructor(settings: ClientSettings) {
    this.#settings = settings
  }

  get url(): string {
    return this.#settings.url
  }

  get storeId(): string {
    return this.#settings.storeId
  }

  /**
   * Sends a GET.
   * @param path of an endpoint; the id of the store follows it, then `query`
   * @param stop ends the request, its body included
   * @returns an answer of status 200
   * @throws NoAnswer
   */
  async get(path: string, query: URLSearchParams, accept: string, stop = new AbortController()): Promise<Response> {
    const { url, storeId, token } = this.#settings
    const target = `${url}${path}/${storeId}${query.size === 0 ? '' : `?${query}`}`
    const headers = { Accept: accept, ...(token !== undefined && { Authorization: `Bearer ${token}` }) }
    const timer = setTimeout(() => stop.abort(), answerMaxMs)
    try {
      const answer = await fetch(target, { headers, signal: stop.signal, redirect: 'manual', tls: this.#tls() })
      if (answer.status === 200) return answer
      throw await problemOf(answer)
    } catch (thrown) {
      if (thrown instanceof NoAnswer) throw thrown
      throw new NoAnswer(`Asking ${url}: ${this.#reasonOf(thrown)}`)
    } finally {
      clearTimeout(timer)
    }
  }

  /** A store on this host is asked by its address. Its certificate is known, so the names in it do not matter. */
  #tls(): Bun.TLSOptions & { checkServerIdentity?: (host: string, peer: PeerCertificate) => Error | undefined } {
    const { certificate } = this.#settings
    if (certificate === undefined) return {}
    const { fingerprint256 } = new X509Certificate(certificate)
    const checkServerIdentity = (_host: string, peer: PeerCertificate) =>
      peer.fingerprint256 === fingerprint256 ? undefined : new Error('certificate')
    return { ca: certificate, checkServerIdentity }
  }

  #reasonOf(thrown: unknown): string {
    const { code = '', message, name } = thrown as Error & { code?: string }
    if (name === 'AbortError') return `no answer within ${answerMaxMs / 1000} s`
    return reasons[code] ?? (code === '' ? message : `${message} (${code})`)
  }
}

async function problemOf(answer: Response): Promise<NoAnswer> {
  const { url, status, headers } = answer
  const text = await answer.text().catch(() => '')
  if (!headers.get('content-type')?.startsWith('application/problem+json')) {
    return new NoAnswer(`Asking ${url}: status ${status}, which is not of a store`, status)
  }
  const { code, detail } = problemIn(text)
  const hint = hints[code] === undefined ? '' : `; give ${hints[code]}`
  return new NoAnswer(`${detail} (${code})${hint}`, status, code)
}

function problemIn(text: string): { code: string; detail: string } {
  try {
    const { code, detail } = JSON.parse(text) as Record<string, unknown>
    if (typeof code === 'string' && typeof detail === 'string') return { code, detail }
  } catch {
    // It is not JSON.
  }
  return { code: 'unknown', detail: 'The answer is an error that cannot be read' }
}
