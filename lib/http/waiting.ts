/**
 * Lookups that wait: until a source record is visible (`?min-offset=`), or until the key exists or changes
 * (`Prefer: wait=`). A held request holds no reader; a publish that concerns it wakes it.
 */
import type { Answer } from './answer.ts'
import { HeldAnswer } from './held-answer.ts'
import type { RequestHead } from './request-head.ts'
import type { StoreView } from './store-view.ts'
import { ValueAnswer } from './value-answer.ts'
import { minOffsetsOf, preferredWaitOf } from './wait-parameters.ts'

/** Time to wait for an offset if the client does not say. */
const offsetWaitMs = 5_000
/** Longest wait of a request through Bun's server, which closes a connection that is silent for longer. */
const silentMsMax = 8_000

export interface LookupParts {
  /** Answers at once. */
  answer(request: RequestHead, target: string): Answer | Promise<Answer>
  /** @throws LatchkeyError if the target has no valid key of this store */
  keyOf(target: string): Uint8Array | Promise<Uint8Array>
  fail(thrown: unknown, startedAt: number): Answer
}

export class WaitingLookups {
  readonly #store: Pick<StoreView, 'changes'>
  readonly #lookup: LookupParts

  constructor(store: Pick<StoreView, 'changes'>, lookup: LookupParts) {
    this.#store = store
    this.#lookup = lookup
  }

  /** Answers a lookup that may ask for a wait: see mayWait(). */
  handle(request: RequestHead, target: string): Answer | Promise<Answer> {
    const startedAt = performance.now()
    try {
      const offsets = minOffsetsOf(target)
      const seconds = this.#appliedSeconds(request)
      const make = () => this.#lookup.answer(request, target)
      if (offsets !== undefined && this.#store.changes.isVisible(offsets)) return applied(make(), seconds)
      if (offsets === undefined && !seconds) return make()
      const held =
        offsets === undefined ? (over: Promise<void>) => this.#untilChanged(request, target, over) : undefined
      const visible = async (over: Promise<void>) => {
        await this.#store.changes.waitFor(offsets!, over)
        return make()
      }
      const timeoutMs = seconds === undefined ? Math.min(offsetWaitMs, waitMsMax(request)) : seconds * 1_000
      const hold = async (over: Promise<void>) => {
        const answer = await (held ?? visible)(over).catch((thrown: unknown) => this.#lookup.fail(thrown, startedAt))
        return applied(answer, seconds)
      }
      return HeldAnswer.hold(hold, timeoutMs)
    } catch (thrown) {
      return this.#lookup.fail(thrown, startedAt)
    }
  }

  /** Returns the seconds for which a request is held at most; undefined if the client does not say. */
  #appliedSeconds(request: RequestHead): number | undefined {
    const preferred = preferredWaitOf(request.headers.get('prefer'))
    return preferred === undefined ? undefined : Math.min(preferred, waitMsMax(request) / 1_000)
  }

  /** Without If-None-Match, holds a request while there is no value; with it, while the value has a tag that it names. */
  async #untilChanged(request: RequestHead, target: string, over: Promise<void>): Promise<Answer> {
    const heldStatus = request.headers.get('if-none-match') === null ? 404 : 304
    const first = await this.#lookup.answer(request, target)
    if (first.status !== heldStatus) return first
    let key: Uint8Array
    try {
      key = await this.#lookup.keyOf(target)
    } catch {
      return first
    }
    let isOver = false
    let change = Promise.withResolvers<void>()
    const wake = () => change.resolve()
    const forget = this.#store.changes.onChange(key, wake)
    void over.then(() => {
      isOver = true
      wake()
    })
    try {
      // The first lookup here is for what has changed before the wait began.
      for (;;) {
        const answer = await this.#lookup.answer(request, target)
        if (isOver || answer.status !== heldStatus) return answer
        await change.promise
        change = Promise.withResolvers()
      }
    } finally {
      forget()
    }
  }
}

function waitMsMax({ waitMsMax: own = silentMsMax }: RequestHead): number {
  return own
}

/** Says which wait was applied, if the client asked for one. */
function applied<A extends Answer | Promise<Answer>>(answer: A, seconds: number | undefined): A {
  if (seconds === undefined) return answer
  if (answer instanceof Promise) return answer.then((made: Answer) => applied(made, seconds)) as A
  const preference = `wait=${seconds}`
  if (answer instanceof ValueAnswer) answer.preferenceApplied = preference
  else if (answer instanceof Response) answer.headers.set('preference-applied', preference)
  return answer
}
