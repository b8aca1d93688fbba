/** Whether a source record was safely in the changelog at a given moment. */
import type { Acknowledgement, History, Instance, TopicRecord } from './history.ts'

export class Durability {
  /** Place of a source record to the offset of its first copy in the changelog. */
  readonly #offsets = new Map<string, number>()
  readonly #acknowledgements: Map<number, Acknowledgement[]>
  readonly #instances: readonly Instance[]
  /** Instance and partition to the offset of the marker by which it took the partition. */
  readonly #markers = new Map<string, number>()

  constructor({ changelog, acknowledgements, instances }: History) {
    this.#instances = instances
    this.#acknowledgements = Map.groupBy(acknowledgements, ({ partition }) => partition)
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
    const acknowledged = this.#acknowledgements.get(partition)?.find(({ endOffset }) => endOffset > offset)
    if (acknowledged === undefined) return `and changelog offset ${offset} was never acknowledged`
    if (acknowledged.at <= time) return undefined
    return `and changelog offset ${offset} was acknowledged ${(acknowledged.at - time).toFixed(1)} ms later`
  }
}
