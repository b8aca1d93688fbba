/** Lookups of one kind that wait to be sent to a peer. Their number and their bytes have bounds. */
import { operationsMax } from './wire.ts'

const waitingMax = 10_000
const bytesMax = 16_777_216
/** Of the keys of one request, less than a server takes. */
const requestBytesMax = 524_288

export interface WaitingLookup {
  readonly key: Uint8Array
  /** No answer is wanted any more. */
  readonly isSettled: boolean
}

export class LookupQueue<Lookup extends WaitingLookup> {
  readonly #requestsMax: number
  #askers: Lookup[] = []
  #bytes = 0
  /** In progress. */
  requests = 0

  /** @param requestsMax in progress at a time. Few, so that more lookups travel in each under load */
  constructor(requestsMax: number) {
    this.#requestsMax = requestsMax
  }

  get isEmpty(): boolean {
    return this.#askers.length === 0
  }

  /** Whether a request may be sent now. */
  get maySend(): boolean {
    return this.#askers.length > 0 && this.requests < this.#requestsMax
  }

  isFull(size: number): boolean {
    return this.#askers.length >= waitingMax || this.#bytes + size > bytesMax
  }

  add(asker: Lookup): void {
    this.#askers.push(asker)
    this.#bytes += asker.key.length
  }

  /** Leaves out those that do not want an answer any more. */
  tidy(): void {
    if (this.#askers.length === 0) return
    this.#askers = this.#askers.filter(({ isSettled }) => !isSettled)
    this.#bytes = this.#askers.reduce((sum, { key }) => sum + key.length, 0)
  }

  /** Takes what travels in one request; nothing if no one wants an answer any more. */
  take(): Lookup[] {
    let bytes = 0
    let taken = 0
    const askers: Lookup[] = []
    for (const asker of this.#askers) {
      if (askers.length === operationsMax || (askers.length > 0 && bytes + asker.key.length > requestBytesMax)) break
      taken++
      this.#bytes -= asker.key.length
      if (asker.isSettled) continue
      bytes += asker.key.length
      askers.push(asker)
    }
    this.#askers.splice(0, taken)
    return askers
  }

  takeAll(): Lookup[] {
    this.#bytes = 0
    return this.#askers.splice(0)
  }
}
