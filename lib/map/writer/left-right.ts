/**
 * The left-right protocol (Ramalhete and Correia 2015; jonhoo/left-right), with the wait after the swap: change the
 * unpublished side, swap, wait until no reader is inside the other side, make the same change there. DESIGN.md
 * explains the races.
 */
import { publishedSide, storeExchanges } from '../memory/control.ts'
import type { Side } from '../memory/map-messages.ts'
import type { Announcements } from './announcements.ts'

/**
 * Makes the same change on either side. Called first for the unpublished side; after the swap, with `final`,
 * for the other.
 */
export type Change = (side: Side, final: boolean) => void

export class LeftRight {
  readonly #control: Int32Array
  readonly #announcements: Announcements
  readonly #awaitReaders: () => Promise<void>
  #exchanges = 0
  #unfinished: { change: Change; swapped: boolean } | undefined

  constructor(control: Int32Array, announcements: Announcements, awaitReaders: () => Promise<void>) {
    this.#control = control
    this.#announcements = announcements
    this.#awaitReaders = awaitReaders
  }

  /** Number of exchanges so far. */
  get exchanges(): number {
    return this.#exchanges
  }

  get published(): Side {
    return publishedSide(this.#exchanges)
  }

  get unpublished(): Side {
    return publishedSide(this.#exchanges + 1)
  }

  /**
   * Makes a change visible. When it resolves, both sides have the change. One call at a time. Rejects with
   * flush_timed_out when a reader thread does not answer; `resume` continues where it stopped and must succeed before
   * the next exchange.
   */
  async exchange(change: Change): Promise<void> {
    change(this.unpublished, false)
    this.#unfinished = { change, swapped: false }
    await this.resume()
  }

  async resume(): Promise<void> {
    const unfinished = this.#unfinished
    if (unfinished === undefined) return
    if (!unfinished.swapped) {
      await this.#announcements.allConfirmed()
      storeExchanges(this.#control, ++this.#exchanges)
      unfinished.swapped = true
    }
    await this.#awaitReaders()
    this.#unfinished = undefined
    unfinished.change(this.unpublished, true)
  }
}
