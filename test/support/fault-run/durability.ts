/** Whether a source record was safely in the changelog at a given moment. */
import { ChangelogTimes } from './changelog-times.ts'
import type { History, Instance, TopicRecord } from './history.ts'

export class Durability {
  readonly #times: ChangelogTimes
  readonly #instances: readonly Instance[]
  /** Instance and partition to the offset of the marker by which it took the partition. */
  readonly #markers = new Map<string, number>()

  constructor({ changelog, acknowledgements, instances }: History) {
    this.#times = new ChangelogTimes(changelog, acknowledgements)
    this.#instances = instances
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
    const offset = this.#times.offsetOf(partition, src)
    if (offset === undefined) return `and source offset ${src} is not in the changelog`
    if (offset < (this.#markers.get(`${instance}/${partition}`) ?? -1)) return undefined
    const acknowledgedAt = this.#times.acknowledgedAt(partition, offset)
    if (acknowledgedAt === Number.POSITIVE_INFINITY) return `and changelog offset ${offset} was never acknowledged`
    if (acknowledgedAt <= time) return undefined
    return `and changelog offset ${offset} was acknowledged ${(acknowledgedAt - time).toFixed(1)} ms later`
  }
}
