/**
 * The status of a store as events, for all clients of a thread: rendered once a second while there are any. Without
 * clients only the rates are read.
 */
import { LatchkeyError } from '../../errors.ts'
import { retry } from '../event-stream.ts'
import type { InstanceFacts, Observed } from '../observed.ts'
import type { StoreView } from '../store-view.ts'
import { everySecond, type Ticking } from './every-second.ts'
import { RateHistory } from './rate-history.ts'
import { statusEventOf } from './status-event-of.ts'
import type { StatusEvent } from './status-event.ts'
import { type StatusPieces, StatusSource } from './status-source.ts'

/** Clients of a thread. */
const clientsMax = 1_000

const encoder = new TextEncoder()

export class StatusEvents implements StatusPieces, Ticking {
  readonly #store: StoreView
  readonly #facts: InstanceFacts
  readonly #rates: RateHistory
  readonly #sources = new Set<StatusSource>()
  #current = 0
  #event: StatusEvent | undefined
  #bytes: Uint8Array<ArrayBuffer> | undefined
  #firstBytes: Uint8Array<ArrayBuffer> | undefined

  constructor(store: StoreView, { lookupStats, respStats, facts }: Observed) {
    this.#store = store
    this.#facts = facts
    this.#rates = new RateHistory({ stats: () => store.stats, lookups: lookupStats, resp: respStats })
    everySecond(this)
  }

  get current(): number {
    return this.#current
  }

  /** @throws LatchkeyError waits_exhausted */
  open(): StatusSource {
    if (this.#sources.size >= clientsMax) {
      const found = `${clientsMax} clients of this thread do so already; try again later`
      throw new LatchkeyError('waits_exhausted', `Following the status: ${found}`)
    }
    if (this.#event === undefined) this.#render()
    const source = new StatusSource(this)
    this.#sources.add(source)
    return source
  }

  piece(isFirst: boolean): Uint8Array<ArrayBuffer> {
    const event = this.#event!
    if (!isFirst) return (this.#bytes ??= bytesOf(event)).slice()
    this.#firstBytes ??= bytesOf({ ...event, history: this.#rates.samples }, retry)
    return this.#firstBytes.slice()
  }

  closed(source: StatusSource): void {
    this.#sources.delete(source)
  }

  /** To be called once a second. */
  tick(): void {
    this.#rates.sample()
    if (this.#sources.size === 0) {
      this.#event = this.#bytes = this.#firstBytes = undefined
      return
    }
    try {
      this.#render()
    } catch {
      // The clients connect again, and get the error.
      this.#event = undefined
      for (const source of this.#sources) source.end()
      return
    }
    for (const source of this.#sources) source.ready()
  }

  #render(): void {
    this.#event = statusEventOf(this.#store, this.#facts, this.#rates.last)
    this.#bytes = this.#firstBytes = undefined
    this.#current++
  }
}

function bytesOf(event: StatusEvent, before = ''): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${before}event: status\ndata: ${JSON.stringify(event)}\n\n`)
}
