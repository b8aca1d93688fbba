/**
 * Schedules amendments: withholds the batches that a partition has to write itself, and releases them afterwards. See
 * amendment.ts.
 */
import { hasHeaderPrefix } from '../../store-protocol/kept-headers.ts'
import { Amendment } from './amendment.ts'
import type { ChangelogBatch } from './changelog-batch.ts'
import type { IngestContext } from './ingest-context.ts'
import type { PartitionIngest } from './partition-ingest.ts'

/**
 * Maximum of encoded amendment batches of one partition that are not acknowledged. They do not wait for room in the
 * backlog, which withheld batches may fill.
 */
const batchesMax = 4

/** What Amending needs of ingest. */
export type AmendingContext = Pick<
  IngestContext,
  'config' | 'map' | 'flusher' | 'pool' | 'partitions' | 'producer' | 'fetcher' | 'accounting'
>

export class Amending {
  readonly #context: AmendingContext
  /** The current turn of each withheld partition. */
  readonly #turns = new Map<PartitionIngest, symbol>()

  constructor(context: AmendingContext) {
    this.#context = context
  }

  /**
   * Withholds a partition at once. Batches of an earlier turn that are not written are dropped.
   * @param withdrawn batches that the producer returned; none of their records was written
   */
  withhold(state: PartitionIngest, withdrawn: readonly ChangelogBatch[] = []): void {
    const { pool, accounting, fetcher } = this.#context
    this.#turns.set(state, Symbol('turn'))
    for (const batch of state.withhold(withdrawn)) pool.release(batch)
    accounting.account(state)
    fetcher.update(state)
  }

  /**
   * Amends a withheld partition.
   * @returns false if the turn ended early: the partition is lost, or was withheld again
   */
  async write(state: PartitionIngest, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const { flusher, map, config, pool, partitions } = this.#context
    const { progress } = this.#context.accounting
    const turn = this.#turns.get(state)
    const isOver = () => !partitions.isCurrent(state) || this.#turns.get(state) !== turn
    await progress.until(() => isOver() || state.inFlight === 0)
    await flusher.flush()
    const amendment = new Amendment(map, state.partition, hasHeaderPrefix(config), {
      acquireBatch: () => pool.acquire(),
      write: (batch) => this.#write(state, batch),
      room: async () => {
        await progress.until(() => isOver() || state.amendmentsLeft < batchesMax)
        await flusher.room()
      },
      isOver,
    })
    await write(amendment)
    amendment.finish()
    await progress.until(() => isOver() || state.amendmentsLeft === 0)
    return !isOver()
  }

  /** Ends the withholding. The partition continues with its own batches. */
  release(state: PartitionIngest): void {
    const { fetcher, producer, accounting } = this.#context
    this.#turns.delete(state)
    state.queue.release()
    fetcher.update(state)
    producer.wake()
    accounting.progress.made()
  }

  /**
   * Waits for other amendments of the partition, then withholds, writes and releases.
   * @returns false if the amendment ended early: see write()
   */
  async amend(state: PartitionIngest, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const { partitions, accounting } = this.#context
    const mayBegin = () => !state.isWithheld || !partitions.isCurrent(state)
    while (!mayBegin()) await accounting.progress.until(mayBegin)
    if (!partitions.isCurrent(state)) return false
    this.withhold(state)
    const isDone = await this.write(state, write)
    if (isDone) this.release(state)
    return isDone
  }

  #write(state: PartitionIngest, batch: ChangelogBatch): void {
    state.queue.amend(batch)
    this.#context.accounting.account(state)
    this.#context.producer.wake()
  }
}
