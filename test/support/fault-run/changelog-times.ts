/** When a record of the source was safely in the changelog, by what the proxies before Kafka saw acknowledged. */
import type { Acknowledgement, TopicContent } from './history.ts'
import { placeOf } from './places.ts'

export class ChangelogTimes {
  /** Place of a source record to the offset of its first copy. */
  readonly #offsets = new Map<string, number>()
  /** Of each partition, those that reach further than all before them. */
  readonly #furthest = new Map<number, Acknowledgement[]>()

  constructor(changelog: TopicContent, acknowledgements: readonly Acknowledgement[]) {
    for (const { partition, src, offset } of changelog.records) {
      const place = placeOf(partition, src)
      if (!this.#offsets.has(place)) this.#offsets.set(place, offset)
    }
    for (const acknowledgement of acknowledgements) {
      const furthest = this.#furthest.get(acknowledgement.partition) ?? []
      if (acknowledgement.endOffset > (furthest.at(-1)?.endOffset ?? -1)) furthest.push(acknowledgement)
      this.#furthest.set(acknowledgement.partition, furthest)
    }
  }

  /** Of the first copy of a source record; undefined without one. */
  offsetOf(partition: number, src: number): number | undefined {
    return this.#offsets.get(placeOf(partition, src))
  }

  /** When the changelog acknowledged this offset; infinity if that was never seen. */
  acknowledgedAt(partition: number, offset: number): number {
    const furthest = this.#furthest.get(partition) ?? []
    return furthest[indexAfter(furthest, offset, ({ endOffset }) => endOffset)]?.at ?? Number.POSITIVE_INFINITY
  }

  /** What was acknowledged of a partition at a time: its end, exclusive. */
  endAt(partition: number, time: number): number {
    const furthest = this.#furthest.get(partition) ?? []
    return furthest[indexAfter(furthest, time, ({ at }) => at) - 1]?.endOffset ?? 0
  }
}

/** Index of the first item whose rising measure exceeds `limit`; the length of the array where none does. */
export function indexAfter<T>(items: readonly T[], limit: number, measure: (item: T) => number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (measure(items[middle]!) > limit) high = middle
    else low = middle + 1
  }
  return low
}
