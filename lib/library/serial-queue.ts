/**
 * Runs operations in the order of the calls, immediately if none waits. An operation that waits for a schema delays
 * those after it.
 */
import { schemaWaitMsDefault, withSchemas } from '../definition/schema-wait.ts'
import { LatchkeyError } from '../errors.ts'

const waitingMax = 10_000

export class SerialQueue {
  #last: Promise<void> | undefined
  #waiting = 0

  /** Rejects with the errors of `operation`, and with LatchkeyError schema_unavailable or writes_exhausted. */
  run<T>(operation: () => T): T | Promise<T> {
    if (this.#last === undefined) {
      const result = withSchemas(operation, schemaWaitMsDefault)
      return result instanceof Promise ? this.#hold(result) : result
    }
    if (this.#waiting >= waitingMax) {
      const found = `${this.#waiting} writes wait for a schema already`
      throw new LatchkeyError('writes_exhausted', `Writing: ${found}. Await earlier writes before more are written`)
    }
    return this.#hold(this.#last.then(() => withSchemas(operation, schemaWaitMsDefault)))
  }

  #hold<T>(result: Promise<T>): Promise<T> {
    const settled = () => {
      this.#waiting--
      if (this.#last === mine) this.#last = undefined
    }
    const mine: Promise<void> = result.then(settled, settled)
    this.#waiting++
    this.#last = mine
    return result
  }
}
