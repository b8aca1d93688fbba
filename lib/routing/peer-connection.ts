/**
 * A kept connection to a peer: one request of HTTP/1.1 at a time. Bun.connect and not fetch(): fetch() sends requests
 * to HTTP_PROXY, and nothing turns that off.
 */
import { getCACertificates, rootCertificates } from 'node:tls'
import type { Socket } from 'bun'
import { messageOf } from '../errors.ts'
import type { PeerAddress } from './peer-address.ts'
import { type PeerFault, shown } from './peer-fault.ts'
import { type PeerResponse, type ResponseBudget, ResponseReader } from './response-reader.ts'

export interface PeerTls {
  /** Certificates in PEM that are trusted; absent for those of the system. */
  readonly ca?: string | undefined
}

export type PeerOutcome = PeerResponse | PeerFault

interface Exchange {
  readonly done: (outcome: PeerOutcome) => void
  readonly endsAt: number
}

const notYet = { kind: 'unreachable', said: 'it did not answer in time' } as const
const unsent: Uint8Array = new Uint8Array()

export class PeerConnection {
  readonly #address: PeerAddress
  readonly #reader: ResponseReader
  /** Called when it is free for a request, or closed. */
  readonly #changed: () => void
  #socket: Socket<unknown> | undefined
  #exchange: Exchange | undefined
  /** Bytes of the request that the socket has not taken. */
  #rest: Uint8Array = unsent
  #isConnected = false
  #fault: PeerFault | undefined
  #answers = 0
  #isLeft = false
  /** When it became idle. */
  #idleAt = 0

  constructor(address: PeerAddress, tls: PeerTls, budget: ResponseBudget, changed: () => void) {
    this.#address = address
    this.#reader = new ResponseReader(budget)
    this.#changed = changed
    void this.#connect(tls)
  }

  get isClosed(): boolean {
    return this.#fault !== undefined
  }

  get isFree(): boolean {
    return this.#exchange === undefined && this.#fault === undefined
  }

  /** The peer has closed it while it was idle: its process may have ended. */
  get isLeft(): boolean {
    return this.#isLeft
  }

  /** It has answered before: if it closes at the next request, that may be for having been idle. */
  get isKept(): boolean {
    return this.#answers > 0
  }

  /**
   * Sends a request. It has to be free.
   * @param request head and body
   * @param done called once, later
   */
  send(request: Uint8Array, endsAt: number, done: (outcome: PeerOutcome) => void): void {
    this.#exchange = { done, endsAt }
    this.#rest = request
    if (this.#isConnected) this.#write()
  }

  /** Ends an exchange that takes too long, and a connection that is idle for `idleMsMax`. */
  tick(now: number, idleMsMax: number): void {
    if (this.#exchange === undefined) {
      if (this.#isConnected && now - this.#idleAt > idleMsMax) this.close(notYet)
    } else if (now >= this.#exchange.endsAt) {
      this.close(this.#isConnected ? notYet : { kind: 'unreachable', said: 'the connection was not made in time' })
    }
  }

  close(fault: PeerFault = { kind: 'unreachable', said: 'the connection was closed' }): void {
    if (this.#fault !== undefined) return
    this.#fault = fault
    this.#rest = unsent
    this.#reader.close()
    this.#socket?.terminate()
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.done(fault)
    this.#changed()
  }

  async #connect({ ca }: PeerTls): Promise<void> {
    const { hostname, port, isTls } = this.#address
    try {
      await Bun.connect({
        hostname,
        port,
        ...(isTls && { tls: { ca: ca ?? systemCertificates(), rejectUnauthorized: true, serverName: hostname } }),
        socket: {
          open: (socket) => {
            this.#socket = socket
            if (this.#fault !== undefined) socket.terminate()
            else if (!isTls) this.#connected()
          },
          handshake: (_, isTrusted, error) => {
            if (isTrusted) this.#connected()
            else this.close({ kind: 'unreachable', said: untrusted(messageOf(error)) })
          },
          data: (_, bytes) => this.#received(bytes),
          drain: () => this.#write(),
          close: () => this.close(this.#cut()),
          end: () => this.close(this.#cut()),
          error: (_, error) => this.close({ ...this.#cut(), said: `the connection failed: ${messageOf(error)}` }),
        },
      })
    } catch (error) {
      const code = (error as { code?: unknown }).code
      const isRefused = code === 'ECONNREFUSED'
      const said = isRefused ? 'the connection was refused' : `no connection: ${String(code ?? messageOf(error))}`
      this.close({ kind: isRefused ? 'refused' : 'unreachable', said })
    }
  }

  #cut(): PeerFault {
    const isUnanswered = !this.#reader.hasBegun
    this.#isLeft = this.#exchange === undefined
    const said = `it closed the connection ${isUnanswered ? 'without an answer' : 'before the end of its answer'}`
    return { kind: 'unreachable', said, isUnanswered }
  }

  #connected(): void {
    if (this.#fault !== undefined) return
    this.#isConnected = true
    this.#socket!.setNoDelay(true)
    this.#idleAt = performance.now()
    if (this.#exchange === undefined) this.#changed()
    else this.#write()
  }

  #write(): void {
    if (!this.#isConnected || this.#rest.length === 0) return
    const written = this.#socket!.write(this.#rest)
    if (written < 0) this.close()
    else this.#rest = written === this.#rest.length ? unsent : this.#rest.subarray(written)
  }

  #received(bytes: Buffer): void {
    if (this.#fault !== undefined) return
    if (this.#exchange === undefined) return this.close({ kind: 'unreachable', said: 'it sent what was not asked for' })
    const response = this.#reader.add(bytes)
    if (response === undefined) return
    if (typeof response === 'string') return this.close({ kind: 'unreachable', said: response })
    const { done } = this.#exchange
    this.#exchange = undefined
    this.#answers++
    this.#idleAt = performance.now()
    // The rest of the request is not wanted any more.
    if (response.isLast || this.#rest.length > 0) this.close()
    done(response)
    if (this.#fault === undefined) this.#changed()
  }
}

let system: string | undefined

/** Bun alone trusts the certificates that it has built in. */
function systemCertificates(): string {
  system ??= [...new Set([...rootCertificates, ...getCACertificates('system')])].join('\n')
  return system
}

function untrusted(found: string): string {
  // BoringSSL says so of bytes of another protocol.
  if (found.includes('WRONG_VERSION_NUMBER')) return 'it does not answer in TLS, and its URL is https'
  return `its certificate is not trusted: ${shown(found)}`
}
