/**
 * Schedules amendments: withholds the batches that a partition has to write itself, and releases them afterwards. See
 * amendment.ts.
 */
import { hasHeaderPrefix } from '../../store-protocol/kept-headers.ts'
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
  isOurs(state: PartitionIngest): boolean
  /** Called when the producer may have something to write. */
  wake(): void
  /** Starts or stops reading the source of a partition, as its `mayFetch` says. */
  fetch(state: PartitionIngest): void
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
  withhold(state: PartitionIngest, withdrawn: readonly ChangelogBatch[] = []): void {
    this.#turns.set(state, Symbol('turn'))
    for (const batch of state.withhold(withdrawn)) this.#pool.release(batch)
    this.#settlement.account(state)
    this.#hooks.fetch(state)
  }

  /**
   * Amends a withheld partition.
   * @returns false if the turn ended early: the partition is lost, or was withheld again
   */
  async write(state: PartitionIngest, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const { flusher, map, config } = this.#context
    const { progress } = this.#settlement
    const turn = this.#turns.get(state)
    const isOver = () => !this.#hooks.isOurs(state) || this.#turns.get(state) !== turn
    await progress.until(() => isOver() || state.inFlight === 0)
    await flusher.flush()
    const amendment = new Amendment(map, state.partition, hasHeaderPrefix(config), {
      acquireBatch: () => this.#pool.acquire(),
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
    this.#turns.delete(state)
    state.queue.release()
    this.#hooks.fetch(state)
    this.#hooks.wake()
    this.#settlement.progress.made()
  }

  /** Waits for other amendments of the partition, then withholds, writes and releases. */
  async amend(state: PartitionIngest, write: (amendment: Amendment) => Promise<void>): Promise<void> {
    const mayBegin = () => !state.isWithheld || !this.#hooks.isOurs(state)
    while (!mayBegin()) await this.#settlement.progress.until(mayBegin)
    if (!this.#hooks.isOurs(state)) return
    this.withhold(state)
    if (await this.write(state, write)) this.release(state)
  }

  #write(state: PartitionIngest, batch: ChangelogBatch): void {
    state.queue.amend(batch)
    this.#settlement.account(state)
    this.#hooks.wake()
  }
}
