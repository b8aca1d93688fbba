/**
 * A lookup that is held until its key has a value, or another one. Thousands may wait: one keeps its request, a timer and
 * a call of the store, and no response or suspended function.
 */
import type { Answer } from './answer.ts'
import { HeldAnswer } from './held-answer.ts'
import { applied } from './preference-applied.ts'
import type { RequestHead } from './request-head.ts'
import type { StoreView } from './store-view.ts'

export interface LookupParts {
  /** Answers at once. */
  answer(request: RequestHead, target: string): Answer | Promise<Answer>
  /** @throws LatchkeyError if the target has no valid key of this store */
  keyOf(target: string): Uint8Array | Promise<Uint8Array>
  fail(thrown: unknown, startedAt: number): Answer
}

export interface HeldRequest {
  readonly request: RequestHead
  readonly target: string
  /** Status while there is nothing to answer. */
  readonly heldStatus: number
  readonly startedAt: number
  /** Longest wait. */
  readonly seconds: number
}

export class HeldLookup {
  readonly answer: HeldAnswer
  readonly #changes: StoreView['changes']
  readonly #lookup: LookupParts
  readonly #held: HeldRequest
  readonly #timer: Timer
  #resolve: ((answer: Answer) => void) | undefined
  #forget: (() => void) | undefined
  #isLooking = true
  /** The key may have changed since the last lookup began. */
  #isChanged = false
  #isOver = false

  /** @param first answer to the request */
  constructor(changes: StoreView['changes'], lookup: LookupParts, held: HeldRequest, first: Answer | Promise<Answer>) {
    this.#changes = changes
    this.#lookup = lookup
    this.#held = held
    this.answer = new HeldAnswer((resolve) => (this.#resolve = resolve))
    const end = () => this.#end()
    this.answer.end = end
    this.answer.cancel = end
    this.#timer = setTimeout(end, held.seconds * 1_000)
    void this.#begin(first)
  }

  async #begin(first: Answer | Promise<Answer>): Promise<void> {
    const { target, heldStatus, startedAt } = this.#held
    try {
      const answer = await first
      if (this.#isOver || answer.status !== heldStatus) return this.#finish(answer)
      const key = await this.#keyOf(target)
      if (key === undefined) return this.#finish(answer)
      this.#register(key)
      // For what has changed before the wait began.
      await this.#look()
    } catch (thrown) {
      this.#finish(this.#lookup.fail(thrown, startedAt))
    }
  }

  /** @returns undefined if the target has no valid key: its answer says so */
  async #keyOf(target: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#lookup.keyOf(target)
    } catch {
      return undefined
    }
  }

  /** Apart, because a function that is made within a suspended one keeps all that this has. */
  #register(key: Uint8Array): void {
    this.#forget = this.#changes.onChange(key, () => this.#wake())
  }

  #wake(): void {
    this.#isChanged = true
    if (!this.#isLooking) void this.#look()
  }

  /** Looks the key up until it has not changed meanwhile. */
  async #look(): Promise<void> {
    this.#isLooking = true
    do {
      this.#isChanged = false
      const answer = await this.#lookup.answer(this.#held.request, this.#held.target)
      if (this.#isOver || answer.status !== this.#held.heldStatus) return this.#finish(answer)
    } while (this.#isChanged)
    this.#isLooking = false
  }

  /** The answer is that of the moment. */
  #end(): void {
    this.#isOver = true
    if (!this.#isLooking) void this.#look()
  }

  #finish(answer: Answer): void {
    this.#isLooking = true
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#forget?.()
    this.#resolve?.(applied(answer, this.#held.seconds))
  }
}
