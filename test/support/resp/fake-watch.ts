/** Changes of a store without Kafka, as the Redis protocol watches them. */
import type { LatchkeyError } from '../../../lib/errors.ts'
import type { KeyWatching, WantsKey, WatchedKey } from '../../../lib/store-protocol/following.ts'
import { FakeWaits } from '../http/fake-waits.ts'

interface Watch {
  readonly left: (WatchedKey | 'missed' | 'moved' | 'ended')[]
  readonly ready: () => void
}

export class FakeWatches extends FakeWaits {
  /** What watchKeys() rejects with. */
  error: LatchkeyError | undefined
  /** Then `opening` resolves when the store serves. */
  isRecovering = false
  /** What watchKeys() waits for. */
  opening: Promise<void> = Promise.resolve()
  readonly #watches = new Set<Watch>()

  /** Watches that are open. */
  get watches(): number {
    return this.#watches.size
  }

  async watchKeys(ready: () => void): Promise<KeyWatching> {
    await this.opening
    if (this.error !== undefined) throw this.error
    const watch: Watch = { left: [], ready }
    this.#watches.add(watch)
    return { take: (max, wants) => take(watch, max, wants), close: () => void this.#watches.delete(watch) }
  }

  change(change: WatchedKey | 'missed' | 'moved' | 'ended'): void {
    for (const { left, ready } of this.#watches) {
      left.push(change)
      ready()
    }
  }
}

function take({ left }: Watch, max: number, wants: WantsKey): ReturnType<KeyWatching['take']> {
  if (left.length === 0) return undefined
  if (typeof left[0] === 'string') return left.shift() as 'missed' | 'moved' | 'ended'
  const taken: WatchedKey[] = []
  while (taken.length < max && left.length > 0 && typeof left[0] !== 'string') {
    const change = left.shift() as WatchedKey
    const data = Buffer.concat([Buffer.from('before'), change.key, Buffer.from('after')])
    if (wants(data, 6, change.key.length, change.isDeletion)) taken.push(change)
  }
  return taken
}
