/**
 * Has the thread that started this one keep memory that shows files of snapshots, and check it while this one asks Kafka at
 * a start.
 */
import type { MemoryKeeper, ShownState } from '../../map/index.ts'
import type { FromThread, KeptAnswer } from '../../store-protocol/thread-messages.ts'

export class KeptMemory implements MemoryKeeper {
  readonly #post: (message: FromThread) => void
  readonly #ids = new Map<SharedArrayBuffer, number>()
  readonly #asked = new Map<number, (isKept: boolean) => void>()
  readonly #checks = new Map<number, (state: ShownState) => void>()
  #lastId = 0
  #isStarting = true

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

  answered(answer: KeptAnswer): void {
    const { id } = answer
    if (answer.type === 'checked') this.#checks.get(id)?.(answer.state)
    else this.#asked.get(id)?.(answer.isKept)
    this.#checks.delete(id)
    this.#asked.delete(id)
  }

  check({ buffer, byteOffset, length }: Uint8Array<SharedArrayBuffer>, sum: string): Promise<ShownState> | undefined {
    const kept = this.#ids.get(buffer)
    if (!this.#isStarting || kept === undefined) return undefined
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<ShownState>()
    this.#checks.set(id, resolve)
    this.#post({ type: 'check', id, kept, byteOffset, length, sum })
    return promise
  }

  /** The store answers. From now on this thread checks, since the other one serves lookups. */
  started(): void {
    this.#isStarting = false
  }

  release(buffer: SharedArrayBuffer): void {
    const id = this.#ids.get(buffer)
    if (id === undefined) return
    this.#ids.delete(buffer)
    this.#post({ type: 'release', id })
  }
}
