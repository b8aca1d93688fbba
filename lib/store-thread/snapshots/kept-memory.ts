/** Has the thread that started this one keep memory that shows files of snapshots. */
import type { MemoryKeeper } from '../../map/index.ts'
import type { FromThread } from '../../store-protocol/thread-messages.ts'

export class KeptMemory implements MemoryKeeper {
  readonly #post: (message: FromThread) => void
  readonly #ids = new Map<SharedArrayBuffer, number>()
  readonly #asked = new Map<number, (isKept: boolean) => void>()
  #lastId = 0

  constructor(post: (message: FromThread) => void) {
    this.#post = post
  }

  keep(buffer: SharedArrayBuffer): Promise<boolean> {
    const id = ++this.#lastId
    this.#ids.set(buffer, id)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.#asked.set(id, resolve)
    this.#post({ type: 'keep', id, buffer })
    return promise
  }

  answered(id: number, isKept: boolean): void {
    this.#asked.get(id)?.(isKept)
    this.#asked.delete(id)
  }

  release(buffer: SharedArrayBuffer): void {
    const id = this.#ids.get(buffer)
    if (id === undefined) return
    this.#ids.delete(buffer)
    this.#post({ type: 'release', id })
  }
}
