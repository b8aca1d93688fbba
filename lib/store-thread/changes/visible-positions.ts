/**
 * How far each partition is visible: the source position and the changelog position that the last publish has reached.
 * Positions are noted as records are put into the map. A publish makes those visible that were noted when it began.
 */
import type { Stats } from '../../store-protocol/stats.ts'

export class VisiblePositions {
  /** Next changelog offset of each partition, in the order of `stats.layout`. A lower bound; -1 if unknown. */
  readonly changelog: Float64Array
  readonly #stats: Stats
  readonly #rows = new Map<number, number>()
  readonly #source: Float64Array
  readonly #sourcePublishing: Float64Array
  readonly #changelogPublishing: Float64Array
  readonly #changelogPublished: Float64Array
  /** 1 where more is in the map than the changelog position says. */
  readonly #inexact: Uint8Array
  readonly #inexactPublishing: Uint8Array
  readonly #inexactPublished: Uint8Array

  constructor(stats: Stats) {
    const { length } = stats.layout
    this.#stats = stats
    stats.layout.forEach((partition, row) => this.#rows.set(partition, row))
    const unknown = () => new Float64Array(length).fill(-1)
    this.changelog = unknown()
    this.#source = unknown()
    this.#sourcePublishing = unknown()
    this.#changelogPublishing = unknown()
    this.#changelogPublished = unknown()
    this.#inexact = new Uint8Array(length)
    this.#inexactPublishing = new Uint8Array(length)
    this.#inexactPublished = new Uint8Array(length)
  }

  /** Changelog position that the last publish has reached, for each partition; -1 if unknown. */
  get published(): Float64Array {
    return this.#changelogPublished
  }

  /** Partitions of which more is visible than the changelog position of the last publish says. */
  get inexact(): number[] {
    return this.#stats.layout.filter((_, row) => this.#inexactPublished[row] === 1)
  }

  rowOf(partition: number): number {
    return this.#rows.get(partition)!
  }

  /** Notes the source offset up to which everything is in the map, or left out. It may fall. */
  noteSource(partition: number, position: number): void {
    this.#source[this.rowOf(partition)] = position
  }

  noteChangelog(partition: number, position: number): void {
    const row = this.rowOf(partition)
    if (position < this.changelog[row]!) this.#stats.set('changelogFellAt', Date.now())
    this.changelog[row] = position
    this.#inexact[row] = 0
  }

  /** Notes that records are in the map whose changelog offsets are not known. */
  noteLost(partition: number): void {
    this.#inexact[this.rowOf(partition)] = 1
  }

  /** Forgets a partition, which leaves the map with the next publish. */
  left(partition: number): void {
    const row = this.rowOf(partition)
    this.#source[row] = -1
    this.changelog[row] = -1
    this.#inexact[row] = 0
  }

  /** To be called when a publish begins. */
  began(): void {
    this.#sourcePublishing.set(this.#source)
    this.#changelogPublishing.set(this.changelog)
    this.#inexactPublishing.set(this.#inexact)
  }

  /**
   * To be called when it has ended.
   * @returns whether a partition is visible up to another source offset
   */
  ended(): boolean {
    this.#changelogPublished.set(this.#changelogPublishing)
    this.#inexactPublished.set(this.#inexactPublishing)
    let isChanged = false
    const { layout } = this.#stats
    for (let row = 0; row < layout.length; row++) {
      const changelog = this.#inexactPublishing[row] === 1 ? -1 : this.#changelogPublishing[row]!
      this.#stats.setGauge(layout[row]!, 'visibleChangelog', changelog)
      const position = this.#sourcePublishing[row]!
      if (this.#stats.gauge(layout[row]!, 'visible') === position) continue
      this.#stats.setGauge(layout[row]!, 'visible', position)
      isChanged = true
    }
    return isChanged
  }
}
