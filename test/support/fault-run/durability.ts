/** Whether a source record was safely in the changelog at a given moment. */
import type { Acknowledgement, History, Instance, TopicRecord } from './history.ts'

export class Durability {
  /** Place of a source record to the offset of its first copy in the changelog. */
  readonly #offsets = new Map<string, number>()
  /** Of each partition, those that reach further than all before them. */
  readonly #acknowledgements = new Map<number, Acknowledgement[]>()
  readonly #instances: readonly Instance[]
  /** Instance and partition to the offset of the marker by which it took the partition. */
  readonly #markers = new Map<string, number>()

  constructor({ changelog, acknowledgements, instances }: History) {
    this.#instances = instances
    for (const acknowledgement of acknowledgements) {
      const furthest = this.#acknowledgements.get(acknowledgement.partition) ?? []
      if (acknowledgement.endOffset > (furthest.at(-1)?.endOffset ?? -1)) furthest.push(acknowledgement)
      this.#acknowledgements.set(acknowledgement.partition, furthest)
    }
    for (const { partition, src, offset } of changelog.records) {
      const place = `${partition}/${src}`
      if (!this.#offsets.has(place)) this.#offsets.set(place, offset)
    }
    for (const { partition, offset, timestamp } of changelog.markers) {
      const owner = instances.findLastIndex(({ startedAtEpochMs }) => startedAtEpochMs <= timestamp)
      const place = `${owner}/${partition}`
      this.#markers.set(place, Math.max(offset, this.#markers.get(place) ?? -1))
    }
  }

  /** Which instance ran at a time of performance.now(). */
  instanceAt(time: number): number {
    return this.#instances.findLastIndex(({ startedAt }) => startedAt <= time)
  }

  /**
   * Why `instance` may not show or commit a source record at this time; undefined where it may: the record lies before the instance's
   * marker, so that it was recovered, or an acknowledgement for it has come.
   */
  faultOf({ partition, offset: src }: TopicRecord, instance: number, time: number): string | undefined {
    const offset = this.#offsets.get(`${partition}/${src}`)
    if (offset === undefined) return `and source offset ${src} is not in the changelog`
    if (offset < (this.#markers.get(`${instance}/${partition}`) ?? -1)) return undefined
    const furthest = this.#acknowledgements.get(partition) ?? []
    const acknowledged = furthest[indexAfter(furthest, offset, ({ endOffset }) => endOffset)]
    if (acknowledged === undefined) return `and changelog offset ${offset} was never acknowledged`
    if (acknowledged.at <= time) return undefined
    return `and changelog offset ${offset} was acknowledged ${(acknowledged.at - time).toFixed(1)} ms later`
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
