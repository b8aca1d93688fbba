/** Debug lines of a Redis client's connection: opened, closed and why. It exists only if this thread logs debug. */
import { isDebug, loggerOf } from '../../log/index.ts'
import type { PushFault } from '../../resp/index.ts'

const log = loggerOf('resp')

/** Why a connection closes. The first reason counts. */
export type RespCloseReason =
  | 'its end was received'
  | 'it has quit, or what it sent was no command'
  | 'it did not take its replies'
  | 'its command was incomplete for too long'
  | 'it did not send the token'
  | PushFault
  | 'another token is required'
  | 'the server stops'

export class RespLog {
  readonly #client: string
  readonly #openedAt = performance.now()
  #reason: string | undefined

  private constructor(client: string) {
    this.#client = client
    log.debug('Connection from {client} opened', { client })
  }

  /**
   * @param client address and port
   * @returns undefined if this thread does not log debug
   */
  static of(client: string): RespLog | undefined {
    return isDebug() ? new RespLog(client) : undefined
  }

  closing(reason: RespCloseReason): void {
    this.#reason ??= reason
  }

  /** @param error what ended the socket, if any */
  closed(error: unknown): void {
    const code = (error as { code?: unknown } | undefined)?.code
    log.debug('Connection from {client} closed after {ms} ms: {reason}', {
      client: this.#client,
      ms: Math.round(performance.now() - this.#openedAt),
      reason: this.#reason ?? (code === undefined ? 'the connection was lost' : String(code)),
    })
  }
}
