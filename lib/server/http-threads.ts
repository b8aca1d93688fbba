/** Further HTTP threads, as the main thread sees them. */
import type { EffectiveSetting } from '../config/index.ts'
import type { TlsPair } from '../config/tls-pair.ts'
import { describeEnd } from '../definition/index.ts'
import { LatchkeyError } from '../errors.ts'
import type { LogLevel } from '../log/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { PeerEvents } from './group-routing.ts'
import type { FromHttpThread, HttpThreadStart, ToHttpThread } from './http-thread-messages.ts'
import type { Relay } from './relay.ts'

export class HttpThreads {
  readonly #failure = Promise.withResolvers<LatchkeyError>()
  readonly #workers: Worker[] = []
  readonly #stopped: Promise<void>[] = []
  readonly #events: PeerEvents
  #isStopping = false

  /** Starts `count` threads. */
  constructor(count: number, relay: Relay, start: Omit<HttpThreadStart, 'type' | 'readerThread'>, events: PeerEvents) {
    this.#events = events
    for (let readerThread = 1; readerThread <= count; readerThread++) this.#begin({ ...start, readerThread }, relay)
  }

  /** Resolves if a thread ends without a request to stop; never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.#failure.promise
  }

  renewTls(pair: TlsPair): void {
    this.#postAll({ type: 'renew-tls', pair })
  }

  replaceToken(token: string): void {
    this.#postAll({ type: 'replace-token', token })
  }

  setGroup(report: GroupReport): void {
    this.#postAll({ type: 'group', report })
  }

  setLogLevel(level: LogLevel): void {
    this.#postAll({ type: 'log-level', level })
  }

  showSettings(settings: readonly EffectiveSetting[]): void {
    this.#postAll({ type: 'settings', settings })
  }

  /**
   * Stops all threads. Each accepts no new connection, waits for the requests in progress up to the bound, and ends.
   */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#isStopping = true
    this.#postAll({ type: 'stop', drainTimeoutMs })
    await Promise.all(this.#stopped)
    for (const worker of this.#workers) worker.terminate()
  }

  #begin(start: Omit<HttpThreadStart, 'type'>, relay: Relay): void {
    const worker = new Worker(new URL('./http-thread.ts', import.meta.url))
    const post = (message: ToHttpThread) => worker.postMessage(message)
    const listener: Parameters<Relay['join']>[0] = (thread, message) => post({ type: 'store', thread, message })
    const stopped = Promise.withResolvers<void>()
    worker.onmessage = ({ data }: MessageEvent<FromHttpThread>) => {
      if (data.type === 'listening') relay.join(listener, start.readerThread)
      if (data.type === 'store') relay.post(listener, data.thread, data.message)
      if (data.type === 'reached') this.#events.reached(data.memberId, data.url)
      if (data.type === 'suspect') this.#events.suspect(data.memberId)
      if (data.type === 'failed') this.#fail(new LatchkeyError(data.error.code, data.error.message))
      if (data.type === 'stopped') stopped.resolve()
    }
    const ended = (message: string) => {
      stopped.resolve()
      this.#fail(new LatchkeyError('internal', `HTTP thread ${start.readerThread} ended: ${message}`))
    }
    worker.onerror = ({ message }) => ended(describeEnd(message, start.config.module !== undefined))
    worker.addEventListener('close', () => ended('it said nothing'))
    this.#workers.push(worker)
    this.#stopped.push(stopped.promise)
    post({ type: 'start', ...start })
  }

  #postAll(message: ToHttpThread): void {
    for (const worker of this.#workers) worker.postMessage(message)
  }

  #fail(failure: LatchkeyError): void {
    if (!this.#isStopping) this.#failure.resolve(failure)
  }
}
