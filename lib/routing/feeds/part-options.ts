/** What a part of a feed asks for: some partitions of it, which one instance serves. */
import type { FollowOptions } from '../../store-protocol/following.ts'

export interface PartOptions extends FollowOptions {
  readonly partitions: readonly number[]
  /**
   * Highest source offsets that the client has got, by partition. A copy that has not shown them yet does not serve the
   * part: keys would go back.
   */
  readonly seen: ReadonlyMap<number, number>
  /** Only which keys change is wanted: values are not sent. */
  readonly keysOnly: boolean
}
