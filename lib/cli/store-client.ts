/** Requests to a running store. */
import { X509Certificate } from 'node:crypto'
import type { PeerCertificate } from 'node:tls'
import type { ClientSettings } from '../config/index.ts'
import { namedStore, parseAnswer } from './answers.ts'
import { NoAnswer } from './no-answer.ts'

/** Time until the head of an answer, and the end of a short one. */
const answerMaxMs = 30_000
/** Silence within a longer one. A store that looks for few entries among many says nothing meanwhile. */
const silenceMaxMs = 120_000
/** Of a short answer: the status of 100,000 partitions, or an entry of 16 MiB, four times escaped. */
const textBytesMax = 2 ** 26

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

/** In milliseconds. */
export interface Patience {
  /** Until the head of an answer, and the end of a short one. */
  readonly answerMs: number
  /** Of a longer one. */
  readonly silenceMs: number
}

export class StoreClient {
  readonly #settings: ClientSettings
  readonly #patience: Patience
  /** That of the settings; else the one that the server has named. */
  #storeId: string | undefined

  constructor(settings: ClientSettings, patience: Patience = { answerMs: answerMaxMs, silenceMs: silenceMaxMs }) {
    this.#settings = settings
    this.#patience = patience
    this.#storeId = settings.storeId
  }

  get url(): string {
    return this.#settings.url
  }

  /**
   * Sends a GET.
   * @param path of an endpoint; the id of the store follows it, then `query`
   * @returns the text of an answer of status 200
   * @throws NoAnswer
   */
  getText(path: string, query: URLSearchParams, accept: string): Promise<string> {
    return this.#asked(path, query, accept, new AbortController(), textOf)
  }

  /**
   * Sends a GET.
   * @returns pieces of the body of an answer of status 200; reading them rejects with NoAnswer
   * @throws NoAnswer
   */
  async getPieces(path: string, query: URLSearchParams, accept: string): Promise<AsyncIterable<Uint8Array>> {
    const stop = new AbortController()
    const answer = await this.get(path, query, accept, stop)
    return this.#pieces(answer, stop)
  }

  /**
   * Sends a GET.
   * @param stop ends the request, its body included
   * @returns an answer of status 200
   * @throws NoAnswer
   */
  get(path: string, query: URLSearchParams, accept: string, stop: AbortController): Promise<Response> {
    return this.#asked(path, query, accept, stop, async (answer) => answer)
  }

  async *#pieces(answer: Response, stop: AbortController): AsyncGenerator<Uint8Array> {
    const body = answer.body![Symbol.asyncIterator]()
    try {
      for (;;) {
        // Not while the piece is printed, which takes as long as its reader likes.
        const timer = setTimeout(() => stop.abort(), this.#patience.silenceMs)
        const { done, value } = await body.next().finally(() => clearTimeout(timer))
        if (done === true) return
        yield value
      }
    } catch (thrown) {
      const found = isAbort(thrown)
        ? `nothing more within ${this.#patience.silenceMs / 1000} s`
        : this.#reasonOf(thrown)
      throw new NoAnswer(`Reading the answer of ${this.url}: ${found}; what was printed is not all`)
    } finally {
      stop.abort()
    }
  }

  async #asked<T>(
    path: string,
    query: URLSearchParams,
    accept: string,
    stop: AbortController,
    read: (answer: Response) => Promise<T>,
  ): Promise<T> {
    this.#storeId ??= await this.#nameOfStore()
    const target = `${path}/${encodeURIComponent(this.#storeId)}${query.size === 0 ? '' : `?${query}`}`
    return this.#answered(target, accept, stop, read)
  }

  async #nameOfStore(): Promise<string> {
    const text = await this.#answered('/', 'application/json', new AbortController(), textOf)
    const { id } = parseAnswer(namedStore, text, this.url)
    return id
  }

  /** @param target path and query */
  async #answered<T>(
    target: string,
    accept: string,
    stop: AbortController,
    read: (answer: Response) => Promise<T>,
  ): Promise<T> {
    const { url, token } = this.#settings
    const headers = { Accept: accept, ...(token !== undefined && { Authorization: `Bearer ${token}` }) }
    const timer = setTimeout(() => stop.abort(), this.#patience.answerMs)
    try {
      const answer = await fetch(url + target, { headers, signal: stop.signal, redirect: 'manual', tls: this.#tls() })
      if (answer.status === 200) return await read(answer)
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
    const { code = '', message } = thrown as Error & { code?: string }
    if (isAbort(thrown)) return `no answer within ${this.#patience.answerMs / 1000} s`
    return reasons[code] ?? (code === '' ? message : `${message} (${code})`)
  }
}

function isAbort(thrown: unknown): boolean {
  return (thrown as Error).name === 'AbortError'
}

/** @throws Error if the text is too long, and what fetch throws */
async function textOf(answer: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of answer.body ?? []) {
    pieces.push(piece)
    length += piece.length
    if (length > textBytesMax) throw new Error(`the answer is longer than ${textBytesMax} bytes`)
  }
  return new TextDecoder().decode(Buffer.concat(pieces))
}

async function problemOf(answer: Response): Promise<NoAnswer> {
  const { url, status, headers } = answer
  const text = await textOf(answer)
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
