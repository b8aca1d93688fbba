/**
 * Buffers of store threads that show files of snapshots. They must not be freed meanwhile (lib/map/DESIGN.md, Snapshots),
 * also if the thread ends without a close. So they are kept until the thread says that they show nothing any more, or else
 * for the life of the process. At a start they are checked here, while the store threads ask Kafka.
 */
import { stateOfShown } from '../map/index.ts'
import type { FromThread, ToThread } from '../store-protocol/thread-messages.ts'

/** Of all store threads of the process, also of those that have ended. */
const kept = new Set<KeptBuffers>()

export class KeptBuffers {
  readonly #post: (message: ToThread) => void
  readonly #canKeep: boolean
  readonly #buffers = new Map<number, SharedArrayBuffer>()

  /** @param canKeep whether this thread lives as long as the process */
  constructor(post: (message: ToThread) => void, canKeep = Bun.isMainThread) {
    this.#post = post
    this.#canKeep = canKeep
  }

  get size(): number {
    return this.#buffers.size
  }

  /** Returns whether the message was for this. */
  received(message: FromThread): boolean {
    if (message.type === 'keep') this.#keep(message.id, message.buffer)
    else if (message.type === 'check') this.#check(message)
    else if (message.type === 'release') this.#release(message.id)
    else return false
    return true
  }

  #keep(id: number, buffer: SharedArrayBuffer): void {
    if (this.#canKeep) {
      this.#buffers.set(id, buffer)
      kept.add(this)
    }
    this.#post({ type: 'kept', id, isKept: this.#canKeep })
  }

  /** A segment of a snapshot: a millisecond of work for each 4 MiB. */
  #check({ id, kept: of, byteOffset, length, sum }: FromThread & { type: 'check' }): void {
    const buffer = this.#buffers.get(of)
    const state = buffer === undefined ? 'unreadable' : stateOfShown(new Uint8Array(buffer, byteOffset, length), sum)
    this.#post({ type: 'checked', id, state })
  }

  #release(id: number): void {
    this.#buffers.delete(id)
    if (this.#buffers.size === 0) kept.delete(this)
  }
}
