/**
 * A part of a feed that this instance serves from what it holds, for a client of its own or for another instance. It ends
 * when one of its partitions is not whole here any more: then the feed continues it elsewhere.
 */
import { LatchkeyError } from '../../errors.ts'
import type { ChangeBatch, Following } from '../../store-protocol/following.ts'
import { isComplete, partitionStateOf } from '../../store-protocol/partition-state.ts'
import type { LocalReads } from '../answer-wide.ts'
import type { LocalChanges } from '../local-changes.ts'
import type { PartOptions } from './part-options.ts'

/** The part of a store that feeds use. */
export interface FeedStore extends LocalReads {
  readonly changes: LocalChanges
}

/** Whether this instance has a whole copy of a partition. */
export function isWholeHere({ copies, stats }: FeedStore, partition: number): boolean {
  const { role, isReady } = copies.of(partition)
  // A copy that leaves stays ready until it has left.
  return role === 0 || (role === 1 && isReady && isComplete(partitionStateOf(stats, partition)))
}

export class HeldPart implements Following {
  readonly #store: FeedStore
  readonly #partitions: readonly number[]
  readonly #follower: Following

  /** @returns rejects with LatchkeyError: partition_not_held, too_stale, and what a follower is refused with */
  static async open(store: FeedStore, options: PartOptions, ready: () => void): Promise<HeldPart> {
    const { partitions, seen, keysOnly: _, ...follow } = options
    requireWhole(store, partitions)
    for (const [partition, offset] of seen) {
      if (store.stats.gauge(partition, 'visible') <= offset) throw behind(store, partition, offset)
    }
    return new HeldPart(store, partitions, await store.changes.follow({ ...follow, partitions }, ready))
  }

  private constructor(store: FeedStore, partitions: readonly number[], follower: Following) {
    this.#store = store
    this.#partitions = partitions
    this.#follower = follower
  }

  get resumed(): Following['resumed'] {
    return this.#follower.resumed
  }

  get place(): Following['place'] {
    return this.#follower.place
  }

  async next(): Promise<ChangeBatch | undefined> {
    requireWhole(this.#store, this.#partitions)
    const batch = await this.#follower.next()
    // If a partition leaves meanwhile, the batch may lack some of its keys.
    requireWhole(this.#store, this.#partitions)
    return batch
  }

  close(): void {
    this.#follower.close()
  }
}

function requireWhole(store: FeedStore, partitions: readonly number[]): void {
  const missing = partitions.find((partition) => !isWholeHere(store, partition))
  if (missing === undefined) return
  const found = `this instance does not hold all of partition ${missing}`
  throw new LatchkeyError('partition_not_held', `Following changes of store ${store.id}: ${found}`)
}

function behind({ id }: FeedStore, partition: number, offset: number): LatchkeyError {
  const found = `the copy of partition ${partition} here does not show offset ${offset} yet, which the client has`
  return new LatchkeyError('too_stale', `Following changes of store ${id}: ${found}`)
}
