/** The partitions that a feed concerns: those that it names, those of its keys, or all. They may become more. */
import type { FollowedKeys } from '../../store-protocol/following.ts'
import type { FeedGroup } from './feed-parts.ts'

export class FeedScope {
  readonly #group: FeedGroup
  readonly #wanted: FollowedKeys
  /** In ascending order. */
  #partitions: readonly number[]
  /** As they were when the partitions were determined. */
  #partitionCount: number
  #hasStrangers: boolean

  constructor(group: FeedGroup, wanted: FollowedKeys) {
    this.#group = group
    this.#wanted = wanted
    this.#partitionCount = group.routes.partitionCount
    this.#hasStrangers = group.routes.hasStrangers
    this.#partitions = this.#now
  }

  get partitions(): readonly number[] {
    return this.#partitions
  }

  /**
   * Follows routes: the topic may have grown, or have keys now that are not where the partitioner puts them.
   * @returns whether other partitions are concerned than before
   */
  renew(): boolean {
    const { partitionCount, hasStrangers } = this.#group.routes
    if (partitionCount === this.#partitionCount && hasStrangers === this.#hasStrangers) return false
    this.#partitionCount = partitionCount
    this.#hasStrangers = hasStrangers
    const now = this.#now
    if (now.every((partition) => this.#partitions.includes(partition))) return false
    this.#partitions = now
    return true
  }

  get #now(): readonly number[] {
    const { keys, partitions } = this.#wanted
    if (partitions !== undefined) return partitions
    const { routes, store } = this.#group
    if (keys !== undefined && !routes.hasStrangers) {
      return [...new Set(keys.map((key) => store.partitionOf(key)))].toSorted((a, b) => a - b)
    }
    return Array.from({ length: routes.partitionCount }, (_, partition) => partition)
  }
}
