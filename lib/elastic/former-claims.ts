/**
 * Partitions that this instance is primary of although another one may be: it was removed from the group, or the plan has
 * another primary. The store has given one up when it reports it as a copy. Until then this instance is not to be
 * believed, and its lease is not renewed once it has ended.
 */
export class FormerClaims {
  readonly #agreed: (generation: number) => void
  readonly #partitions = new Set<number>()
  /** Of the present plan, until all are given up. */
  #generation: number | undefined

  /** @param agreed called once for a plan: the store claims what it gives to this instance, and nothing else */
  constructor(agreed: (generation: number) => void) {
    this.#agreed = agreed
  }

  /** @param held partitions that this instance is primary of */
  removed(held: readonly number[]): void {
    this.unknown()
    for (const partition of held) this.#partitions.add(partition)
  }

  /** @param wanted partitions that the plan gives to this instance as primary */
  planned(generation: number, held: readonly number[], wanted: readonly number[]): void {
    this.removed(held.filter((partition) => !wanted.includes(partition)))
    this.#generation = generation
    this.gaveUp([])
  }

  /** What others have is not known. */
  unknown(): void {
    this.#generation = undefined
  }

  /** @param partitions that the store reports as copies */
  gaveUp(partitions: readonly number[]): void {
    for (const partition of partitions) this.#partitions.delete(partition)
    if (this.#partitions.size > 0 || this.#generation === undefined) return
    this.#agreed(this.#generation)
    this.#generation = undefined
  }
}
