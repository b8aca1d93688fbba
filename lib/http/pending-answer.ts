/** An answer that takes a while, and that is not needed when its client has left. */
import type { Answer } from './answer.ts'

/** For the log: no client gets it. */
const clientLeftStatus = 499

export class PendingAnswer extends Promise<Answer> {
  /** The client has left. The work behind the answer ends soon. */
  cancel: () => void = () => {}

  /** Promises that follow from it are ordinary ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  /**
   * @param make makes the answer; ends early, as a rejection, if the controller aborts
   * @param fail makes the answer to an error
   */
  static of(make: (abort: AbortController) => Promise<Answer>, fail: (thrown: unknown) => Answer): PendingAnswer {
    const abort = new AbortController()
    const answered = async () => {
      try {
        return await make(abort)
      } catch (thrown) {
        return abort.signal.aborted ? new Response(null, { status: clientLeftStatus }) : fail(thrown)
      }
    }
    const pending = new PendingAnswer((answer) => answer(answered()))
    pending.cancel = () => abort.abort()
    return pending
  }

  /** Returns a pending answer that is cancelled as this one is, with another answer. */
  map(change: (answer: Answer) => Answer): PendingAnswer {
    const pending = new PendingAnswer((answer) => answer(this.then(change)))
    pending.cancel = () => this.cancel()
    return pending
  }
}

/** Changes an answer when it is there. A pending one can still be cancelled. */
export function mapAnswer(
  answer: Answer | Promise<Answer>,
  change: (answer: Answer) => Answer,
): Answer | Promise<Answer> {
  if (answer instanceof PendingAnswer) return answer.map(change)
  return answer instanceof Promise ? answer.then(change) : change(answer)
}
