/** A part of a feed, as the feed has it: the partitions that one instance serves, and how far they were taken. */
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, Following, Resumed } from '../../store-protocol/following.ts'
import type { PartOptions } from './part-options.ts'

export class FeedPart {
  readonly partitions: readonly number[]
  /** The member that serves it. */
  readonly holder: string
  /** It begins with a listing, as the others do. */
  isBeginning: boolean
  /** There may be something to take. */
  isReady = true
  readonly #seen: Map<number, number>
  #following!: Following
  #taken: ChangeId | 'start'

  /**
   * @param follow has an instance serve it; gets what is to be called when there may be something
   * @param ready called when there may be something
   * @returns rejects as `follow` does
   */
  static async open(
    options: PartOptions,
    holder: string,
    follow: (ready: () => void) => Promise<Following>,
    ready: () => void,
  ): Promise<FeedPart> {
    const part = new FeedPart(options, holder)
    part.#following = await follow(() => {
      part.isReady = true
      ready()
    })
    if (options.from === 'now') part.#taken = part.#following.place ?? 'start'
    return part
  }

  private constructor({ partitions, from, seen }: PartOptions, holder: string) {
    this.partitions = partitions
    this.holder = holder
    this.isBeginning = from === 'start'
    this.#seen = new Map(seen)
    this.#taken = from === 'now' ? 'start' : from
  }

  get resumed(): Resumed | undefined {
    return this.#following.resumed
  }

  /** Everything up to it was taken; `start` while a listing is under way. */
  get place(): ChangeId | 'start' {
    // It advances without changes, too.
    if (this.#taken !== 'start') this.#taken = this.#following.place ?? this.#taken
    return this.#taken
  }

  /** Highest source offsets that were taken, by partition. */
  get seen(): ReadonlyMap<number, number> {
    return this.#seen
  }

  /** As Following.next. */
  async next(): Promise<ChangeBatch | undefined> {
    this.isReady = false
    const batch = await this.#following.next()
    if (batch !== undefined) this.isReady = true
    return batch
  }

  /** Notes that the feed shows a batch. */
  took({ events, place }: ChangeBatch): void {
    for (const event of events) {
      if (event.type !== 'put' && event.type !== 'delete') continue
      const { partition, offset } = event.type === 'put' ? event.entry : event
      if (offset > (this.#seen.get(partition) ?? -1)) this.#seen.set(partition, offset)
    }
    if (place !== undefined) this.#taken = place
  }

  close(): void {
    this.#following.close()
  }
}
