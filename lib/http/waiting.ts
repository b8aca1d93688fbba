/**
 * Lookups that wait: until a source record is visible (`?min-offset=`), or until the key exists or changes
 * (`Prefer: wait=`). A held request holds no reader; a publish that concerns it wakes it.
 */
import type { Answer } from './answer.ts'
import { HeldAnswer } from './held-answer.ts'
import { HeldLookup, type LookupParts } from './held-lookup.ts'
import { applied } from './preference-applied.ts'
import type { RequestHead } from './request-head.ts'
import type { StoreView } from './store-view.ts'
import { minOffsetsOf, preferredWaitOf } from './wait-parameters.ts'

/** Time to wait for an offset if the client does not say. */
const offsetWaitMs = 5_000
/** Longest wait of a request through Bun's server, which closes a connection that is silent for longer. */
const silentMsMax = 8_000

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
      if (offsets === undefined) {
        return seconds ? this.#untilChanged(request, target, seconds, startedAt) : this.#lookup.answer(request, target)
      }
      const make = () => this.#lookup.answer(request, target)
      if (this.#store.changes.isVisible(offsets)) return applied(make(), seconds)
      const timeoutMs = seconds === undefined ? Math.min(offsetWaitMs, waitMsMax(request)) : seconds * 1_000
      const visible = async (over: Promise<void>) => {
        await this.#store.changes.waitFor(offsets, over)
        return make()
      }
      const hold = async (over: Promise<void>) => {
        const answer = await visible(over).catch((thrown: unknown) => this.#lookup.fail(thrown, startedAt))
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
  #untilChanged(request: RequestHead, target: string, seconds: number, startedAt: number): Answer | Promise<Answer> {
    const heldStatus = request.headers.get('if-none-match') === null ? 404 : 304
    const first = this.#lookup.answer(request, target)
    if (!(first instanceof Promise) && first.status !== heldStatus) return applied(first, seconds)
    const held = { request, target, heldStatus, startedAt, seconds }
    return new HeldLookup(this.#store.changes, this.#lookup, held, first).answer
  }
}

function waitMsMax({ waitMsMax: own = silentMsMax }: RequestHead): number {
  return own
}
