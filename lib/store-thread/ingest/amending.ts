/**
 * Schedules amendments: withholds the batches that a partition has to write itself, and releases them afterwards. See
 * amendment.ts.
 */
import { keepsHeaders } from '../../store-protocol/kept-headers.ts'
import type { StoreContext } from '../store-context.ts'
import { Amendment } from './amendment.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { Settlement } from './settlement.ts'

/**
 * Maximum of encoded amendment batches of one partition that are not acknowledged. They do not wait for room in the
 * backlog, which withheld batches may fill.
 */
const batchesMax = 4

export interface AmendingHooks {
  isOurs(one: PartitionIngest): boolean
  /** Called when the producer may have something to write. */
  wake(): void
  /** Starts or stops reading the source of a partition, as its `mayFetch` says. */
  fetch(one: PartitionIngest): void
}

export class Amending {
  readonly #context: StoreContext
  readonly #pool: BatchPool
  readonly #settlement: Settlement
  readonly #hooks: AmendingHooks
  /** The current turn of each withheld partition. */
  readonly #turns = new Map<PartitionIngest, symbol>()

  constructor(context: StoreContext, pool: BatchPool, settlement: Settlement, hooks: AmendingHooks) {
    this.#context = context
    this.#pool = pool
    this.#settlement = settlement
    this.#hooks = hooks
  }

  /**
   * Withholds a partition at once. Batches of an earlier turn that are not written are dropped.
   * @param withdrawn batches that the producer returned; none of their records was written
   */
  withhold(one: PartitionIngest, withdrawn: readonly ChangelogBatch[] = []): void {
    this.#turns.set(one, Symbol('turn'))
    for (const batch of one.withhold(withdrawn)) this.#pool.release(batch)
    this.#settlement.account(one)
    this.#hooks.fetch(one)
  }

  /**
   * Amends a withheld partition.
   * @returns false if the turn ended early: the partition is lost, or was withheld again
   */
  async write(one: PartitionIngest, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const { flusher, map, config } = this.#context
    const { progress } = this.#settlement
    const turn = this.#turns.get(one)
    const isOver = () => !this.#hooks.isOurs(one) || this.#turns.get(one) !== turn
    await progress.until(() => isOver() || one.inFlight === 0)
    await flusher.flush()
    const amendment = new Amendment(map, one.partition, keepsHeaders(config), {
      acquireBatch: () => this.#pool.acquire(),
      write: (batch) => this.#write(one, batch),
      room: async () => {
        await progress.until(() => isOver() || one.amendmentsLeft < batchesMax)
        await flusher.room()
      },
      isOver,
    })
    await write(amendment)
    amendment.finish()
    await progress.until(() => isOver() || one.amendmentsLeft === 0)
    return !isOver()
  }

  /** Ends the withholding. The partition continues with its own batches. */
  release(one: PartitionIngest): void {
    this.#turns.delete(one)
    one.queue.release()
    this.#hooks.fetch(one)
    this.#hooks.wake()
    this.#settlement.progress.made()
  }

  /** Waits for other amendments of the partition, then withholds, writes and releases. */
  async amend(one: PartitionIngest, write: (amendment: Amendment) => Promise<void>): Promise<void> {
    const mayBegin = () => !one.isWithheld || !this.#hooks.isOurs(one)
    while (!mayBegin()) await this.#settlement.progress.until(mayBegin)
    if (!this.#hooks.isOurs(one)) return
    this.withhold(one)
    if (await this.write(one, write)) this.release(one)
  }

  #write(one: PartitionIngest, batch: ChangelogBatch): void {
    one.queue.amend(batch)
    this.#settlement.account(one)
    this.#hooks.wake()
  }
}
