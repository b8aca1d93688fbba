/**
 * Debug and trace lines of a client's connection: opened, passed to Bun's server, each request, closed and why. It
 * exists only if this thread logs debug, so nothing is built for a connection otherwise.
 */
import type { Socket } from 'bun'
import { isDebug, isTrace, loggerOf } from '../../log/index.ts'
import type { Handshake } from '../handshakes.ts'
import { type AnsweredRequest, clientText, logRequest } from '../request-log.ts'

const log = loggerOf('http')

/** Why a connection closes. The first reason counts. */
export type CloseReason =
  /** Also when the bound on connections has shut it down: the socket reports the same. */
  | 'its end was received'
  | 'its last response was sent'
  | 'it was idle'
  | 'its request was incomplete for too long'
  | 'it made no progress'
  | 'it did not take its responses'
  | "Bun's server closed the tunnel"
  | "no connection to Bun's server"
  | 'another token is required'
  | 'the server stops'

type Remote = Pick<Socket<unknown>, 'remoteAddress' | 'remotePort'>

export class ConnectionLog {
  readonly #client: string
  readonly #store: string
  readonly #openedAt = performance.now()
  #reason: string | undefined
  #requestedAt = 0

  private constructor({ remoteAddress, remotePort }: Remote, store: string) {
    this.#client = clientText(remoteAddress, remotePort)
    this.#store = store
    log.debug('Connection from {client} opened', { client: this.#client })
  }

  /** @returns undefined if this thread does not log debug */
  static of(socket: Remote, store: string): ConnectionLog | undefined {
    return isDebug() ? new ConnectionLog(socket, store) : undefined
  }

  /** A request is complete, or is passed on. */
  requested(): void {
    if (isTrace()) this.#requestedAt = performance.now()
  }

  answered(method: string, status: number, bytes: number, server: AnsweredRequest['server']): void {
    if (!isTrace()) return
    logRequest({
      client: this.#client,
      method,
      status,
      bytes,
      startedAt: this.#requestedAt,
      server,
      store: this.#store,
    })
  }

  /** @param port local port of the connection to Bun's server */
  tunnelOpened(port: number): void {
    log.debug("Tunnel opened for {client}: requests pass to Bun's server from port {port}", {
      client: this.#client,
      port,
    })
  }

  tunnelClosed(port: number): void {
    log.debug('Tunnel closed for {client}: it was from port {port}', { client: this.#client, port })
  }

  closing(reason: CloseReason): void {
    this.#reason ??= reason
  }

  /** @param error what ended the socket, if any */
  closed(error: unknown): void {
    log.debug('Connection from {client} closed after {ms} ms: {reason}', {
      client: this.#client,
      ms: Math.round(performance.now() - this.#openedAt),
      reason: this.#reason ?? errorText(error),
    })
  }
}

/** A connection beyond the maximum: it is closed at once. */
export function logRefused(socket: Remote, open: number): void {
  if (!isDebug()) return
  const client = clientText(socket.remoteAddress, socket.remotePort)
  log.debug('Connection from {client} refused: {open} are open, which is the maximum', { client, open })
}

/** Address and port of a client whose TLS handshake begins; undefined if this thread does not log debug. */
export function handshakeClient({ remoteAddress, remotePort }: Remote): string | undefined {
  return isDebug() ? clientText(remoteAddress, remotePort) : undefined
}

/** A connection that has ended before its TLS handshake was done. */
export function logHandshakeFailed({ client }: Handshake, error: unknown): void {
  if (client === undefined) return
  const properties = { client, reason: errorText(error) }
  log.debug('Connection from {client} closed during its TLS handshake: {reason}', properties)
}

function errorText(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code
  return code === undefined ? 'the connection was lost' : String(code)
}
