/** The answer to a request that waits for a change. */
import type { Answer } from './answer.ts'
import { PendingAnswer } from './pending-answer.ts'

export class HeldAnswer extends PendingAnswer {
  /** Ends the wait: the client has left, or the server stops. The answer is that of the moment. */
  end: () => void = () => {}

  /**
   * @param make makes the answer; at the latest when the promise that it gets resolves
   * @param timeoutMs after which it resolves
   */
  static hold(make: (over: Promise<void>) => Promise<Answer>, timeoutMs: number): HeldAnswer {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, timeoutMs)
    const held = new HeldAnswer((answer) => answer(make(promise).finally(() => clearTimeout(timer))))
    held.end = resolve
    held.cancel = resolve
    return held
  }

  /** Returns a held answer that ends as this one does, with another answer. */
  override map(change: (answer: Answer) => Answer): HeldAnswer {
    const held = new HeldAnswer((answer) => answer(this.then(change)))
    held.end = () => this.end()
    held.cancel = () => this.cancel()
    return held
  }
}
