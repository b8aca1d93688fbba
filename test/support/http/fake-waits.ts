/** Waits for changes of a store without Kafka: what is visible, and when something has changed, the test says. */
import { LatchkeyError } from '../../../lib/errors.ts'
import type { ChangeWaits } from '../../../lib/http/store-view.ts'
import type { ChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { ChangeBatch, Following, FollowOptions, Resumed } from '../../../lib/store-protocol/following.ts'

/** A follower that gets the batches that the test gives. */
export class FakeFollower implements Following {
  place: ChangeId | undefined = { topicId: 'topic', time: 1_700_000_000_000, positions: new Map([[0, 7]]) }
  resumed: Resumed | undefined
  isClosed = false
  /** Batches taken. */
  taken = 0
  /** What follows when all given batches were taken. */
  endless: ChangeBatch | undefined
  readonly options: FollowOptions
  readonly #batches: (ChangeBatch | Error)[] = []
  readonly #ready: () => void

  constructor(options: FollowOptions, ready: () => void) {
    this.options = options
    this.#ready = ready
  }

  give(batch: ChangeBatch | Error): void {
    this.#batches.push(batch)
    this.#ready()
  }

  /** As when a partition has changed its state. */
  wake(): void {
    this.#ready()
  }

  async next(): Promise<ChangeBatch | undefined> {
    const batch = this.#batches.shift() ?? this.endless
    if (batch instanceof Error) throw batch
    if (batch !== undefined) this.taken++
    return batch
  }

  close(): void {
    this.isClosed = true
  }
}

export class FakeWaits implements ChangeWaits {
  /** By partition, excluded. */
  readonly visible = new Map<number, number>()
  readonly followers: FakeFollower[] = []
  /** Of the followers that begin. */
  resumed: Resumed | undefined
  /** What follow() does first, such as to throw. */
  onFollow: () => void | Promise<void> = () => {}
  readonly #changed = new Set<() => void>()
  readonly #reached = new Set<() => void>()

  get waiting(): number {
    return this.#changed.size + this.#reached.size
  }

  isVisible(offsets: ReadonlyMap<number, number>): boolean {
    for (const partition of offsets.keys()) {
      if (partition > 1) throw new LatchkeyError('partition_not_held', 'Waiting: this instance does not hold it')
    }
    return [...offsets].every(([partition, offset]) => (this.visible.get(partition) ?? 0) > offset)
  }

  async waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const check = () => this.isVisible(offsets) && resolve()
    this.#reached.add(check)
    void over.then(() => reject(new LatchkeyError('not_yet_visible', 'Waiting: it is not visible yet')))
    try {
      await promise
    } finally {
      this.#reached.delete(check)
    }
  }

  onChange(_key: Uint8Array, changed: () => void): () => void {
    this.#changed.add(changed)
    return () => void this.#changed.delete(changed)
  }

  async follow(options: FollowOptions, ready: () => void): Promise<Following> {
    await this.onFollow()
    const follower = new FakeFollower(options, ready)
    follower.resumed = this.resumed
    this.followers.push(follower)
    return follower
  }

  /** Wakes all that wait. */
  publish(): void {
    for (const wake of [...this.#changed, ...this.#reached]) wake()
  }
}
