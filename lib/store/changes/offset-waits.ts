/** Who waits until a source offset is visible. For each partition in order of offsets, so a publish looks at the first. */

export interface OffsetWait {
  readonly partition: number
  readonly offset: number
  /** Called once, when the offset is visible or will not become visible here. */
  readonly ended: (error?: Error) => void
}

export class OffsetWaits {
  readonly #byPartition = new Map<number, OffsetWait[]>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(wait: OffsetWait): void {
    const waits = this.#byPartition.get(wait.partition) ?? []
    this.#byPartition.set(wait.partition, waits)
    waits.splice(indexAfter(waits, wait.offset), 0, wait)
    this.#size++
  }

  remove(wait: OffsetWait): void {
    const waits = this.#byPartition.get(wait.partition) ?? []
    const index = waits.indexOf(wait)
    if (index < 0) return
    waits.splice(index, 1)
    this.#size--
  }

  /**
   * Ends the waits that are over.
   * @param visible returns the offset up to which a partition is visible, excluded
   * @param standing returns why a partition will not go on; undefined if it does
   */
  check(visible: (partition: number) => number, standing: (partition: number) => Error | undefined): void {
    for (const [partition, waits] of this.#byPartition) {
      if (waits.length === 0) continue
      const count = indexAfter(waits, visible(partition) - 1)
      this.#end(waits.splice(0, count))
      const error = standing(partition)
      if (error !== undefined) this.#end(waits.splice(0), error)
    }
  }

  #end(waits: readonly OffsetWait[], error?: Error): void {
    this.#size -= waits.length
    for (const { ended } of waits) ended(error)
  }
}

/** Index of the first wait for a higher offset. */
function indexAfter(waits: readonly OffsetWait[], offset: number): number {
  let [low, high] = [0, waits.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (waits[middle]!.offset <= offset) low = middle + 1
    else high = middle
  }
  return low
}
