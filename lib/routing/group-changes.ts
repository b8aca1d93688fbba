/**
 * Waits for changes, and follows them, in a group. Waits reach every partition, wherever it is. A feed is served from
 * what this instance holds: one that concerns other partitions as well is refused with the URLs of those who hold them,
 * since a part of it would look like all of it.
 */
import { LatchkeyError } from '../errors.ts'
import type { ChangeBatch, Following, FollowOptions, KeyWatching } from '../store-protocol/following.ts'
import { ElsewhereWaits } from './elsewhere-waits.ts'
import type { GroupAsker } from './group-asker.ts'

/** The waits of a store, as this instance has them for what it holds. */
export interface LocalChanges {
  readonly waiting: number
  readonly isRecovering: boolean
  isVisible(offsets: ReadonlyMap<number, number>): boolean
  waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void>
  onChange(key: Uint8Array, changed: () => void): () => void
  follow(options: FollowOptions, ready: () => void): Promise<Following>
  watchKeys(ready: () => void): Promise<KeyWatching>
}

export class GroupChanges implements LocalChanges {
  readonly #local: LocalChanges
  readonly #asker: GroupAsker
  readonly #elsewhere: ElsewhereWaits

  constructor(local: LocalChanges, asker: GroupAsker) {
    this.#local = local
    this.#asker = asker
    this.#elsewhere = new ElsewhereWaits(asker)
  }

  get waiting(): number {
    return this.#local.waiting + this.#elsewhere.waiting
  }

  get isRecovering(): boolean {
    return this.#local.isRecovering
  }

  /** What is primary elsewhere is not known here at once. */
  isVisible(offsets: ReadonlyMap<number, number>): boolean {
    return this.#areHere(offsets) && this.#local.isVisible(offsets)
  }

  async waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void> {
    if (this.#areHere(offsets)) {
      try {
        return await this.#local.waitFor(offsets, over)
      } catch (thrown) {
        // A partition has left meanwhile.
        if (this.#areHere(offsets)) throw thrown
      }
    }
    return this.#elsewhere.waitFor(offsets, over)
  }

  onChange(key: Uint8Array, changed: () => void): () => void {
    const endHere = this.#local.onChange(key, changed)
    try {
      const partition = this.#asker.local.partitionOf(key)
      // While it is primary here, nothing is asked for; it may move.
      const endElsewhere = this.#elsewhere.onChange(partition, changed)
      return () => {
        endHere()
        endElsewhere()
      }
    } catch (thrown) {
      endHere()
      throw thrown
    }
  }

  async follow(options: FollowOptions, ready: () => void): Promise<Following> {
    const partitions = this.#concerned(options)
    this.#requireAll(partitions, 'Following changes')
    const follower = await this.#local.follow(options, ready)
    return new HeldFollowing(follower, () => this.#requireAll(partitions, 'Following changes'))
  }

  async watchKeys(ready: () => void): Promise<KeyWatching> {
    const partitions = this.#all
    const watch = await this.#local.watchKeys(ready)
    try {
      this.#requireAll(partitions, 'Watching keys')
    } catch (thrown) {
      watch.close()
      throw thrown
    }
    return {
      take: (max, wants) => (this.#missing(this.#all).length > 0 ? 'ended' : watch.take(max, wants)),
      close: () => watch.close(),
    }
  }

  get #all(): readonly number[] {
    return Array.from({ length: this.#asker.routes.partitionCount }, (_, partition) => partition)
  }

  /** Whether all partitions are primary here. One that does not exist is looked for here, for its error. */
  #areHere(offsets: ReadonlyMap<number, number>): boolean {
    const { routes } = this.#asker
    for (const partition of offsets.keys()) {
      if (partition >= routes.partitionCount) return true
      if (!this.#asker.isHere(partition)) return false
    }
    return true
  }

  #concerned({ keys, partitions }: FollowOptions): readonly number[] {
    if (partitions !== undefined) return partitions
    const { routes, local } = this.#asker
    if (keys === undefined || routes.hasStrangers) return this.#all
    return [...new Set(keys.map((key) => local.partitionOf(key)))]
  }

  /** Returns partitions of which there is no whole copy here. */
  #missing(partitions: readonly number[]): number[] {
    const { routes, local } = this.#asker
    return partitions.filter((partition) => {
      const { role, isReady } = local.copies.of(partition)
      return partition < routes.partitionCount && !(role === 0 || (role === 1 && isReady))
    })
  }

  #requireAll(partitions: readonly number[], attempted: string): void {
    const missing = this.#missing(partitions)
    if (missing.length === 0) return
    const { routes, local } = this.#asker
    const owners: Record<string, number[]> = {}
    for (const partition of missing) {
      const url = routes.primaryOf(partition)?.url ?? 'no instance'
      ;(owners[url] ??= []).push(partition)
    }
    const list = Object.entries(owners).map(([url, those]) => `${those.join(', ')} at ${url}`)
    const found = `this instance does not hold all of the partitions: ${list.join('; ')}`
    const message = `${attempted} of store ${local.id}: ${found}. Follow each there, with partition=, or raise STANDBYS`
    throw new LatchkeyError('partition_not_held', message, { details: { owners } })
  }
}

/** Ends when not all of the partitions are here any more: the client connects again, and learns where they are. */
class HeldFollowing implements Following {
  readonly #follower: Following
  readonly #check: () => void

  /** @param check throws if partitions are missing */
  constructor(follower: Following, check: () => void) {
    this.#follower = follower
    this.#check = check
  }

  get resumed(): Following['resumed'] {
    return this.#follower.resumed
  }

  get place(): Following['place'] {
    return this.#follower.place
  }

  async next(): Promise<ChangeBatch | undefined> {
    this.#check()
    return this.#follower.next()
  }

  close(): void {
    this.#follower.close()
  }
}
