/**
 * Partitions that this instance does not copy, because their primary rebuilds them: a copy would have values of before,
 * or lack keys, and would not know. The group's commits say when that is over (the note of ingest/discard.ts).
 */
import type { CommittedOffset } from '../kafka/offsets.ts'
import { rebuildingMetadata } from '../topics/completeness.ts'

/** Between two looks at the commits. */
const pauseMsDefault = 1_000

export interface RebuildLooks {
  /** Reads the group's commits. */
  committed(partitions: readonly number[]): Promise<ReadonlyMap<number, CommittedOffset>>
  /** Called when some of the partitions may be copied. */
  over(): void
  failed(error: unknown): void
}

export class AwaitedRebuilds {
  readonly #partitions = new Set<number>()
  readonly #looks: RebuildLooks
  readonly #pauseMs: number
  #timer: ReturnType<typeof setTimeout> | undefined
  #isStopped = false

  /** @param pauseMs for tests */
  constructor(looks: RebuildLooks, pauseMs = pauseMsDefault) {
    this.#looks = looks
    this.#pauseMs = pauseMs
  }

  has(partition: number): boolean {
    return this.#partitions.has(partition)
  }

  add(partition: number): void {
    this.#partitions.add(partition)
    this.#wait()
  }

  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #wait(): void {
    if (this.#isStopped || this.#partitions.size === 0) return
    this.#timer ??= setTimeout(() => this.#look().catch(this.#looks.failed), this.#pauseMs)
  }

  async #look(): Promise<void> {
    const waiting = [...this.#partitions]
    const committed = await this.#looks.committed(waiting)
    const rebuilt = waiting.filter((partition) => committed.get(partition)?.metadata !== rebuildingMetadata)
    for (const partition of rebuilt) this.#partitions.delete(partition)
    this.#timer = undefined
    this.#wait()
    if (rebuilt.length > 0 && !this.#isStopped) this.#looks.over()
  }
}
