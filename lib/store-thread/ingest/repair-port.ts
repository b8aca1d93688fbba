/** Operations of changelog repairs on partitions in ingest: see ../repair/repairs.ts. */
import type { LatchkeyError } from '../../errors.ts'
import type { ProducerIdentity } from '../../kafka/fence.ts'
import type { PartitionEnd, Producer } from '../../kafka/producer.ts'
import type { Accounting } from './accounting.ts'
import type { Amending } from './amending.ts'
import type { Amendment } from './amendment.ts'
import type { ChangelogBatch } from './changelog-batch.ts'
import type { IngestContext } from './ingest-context.ts'
import type { PartitionTable } from './partition-table.ts'
import type { Settlement } from './settlement.ts'

export class RepairPort {
  readonly #partitions: PartitionTable
  readonly #producer: Producer<ChangelogBatch>
  readonly #accounting: Accounting
  readonly #amending: Amending
  readonly #settlement: Settlement

  constructor({ partitions, producer, accounting }: IngestContext, amending: Amending, settlement: Settlement) {
    this.#partitions = partitions
    this.#producer = producer
    this.#accounting = accounting
    this.#amending = amending
    this.#settlement = settlement
  }

  isHalted(partition: number): boolean {
    return this.#partitions.get(partition)?.reading.halted !== undefined
  }

  /** Causes one partition, or all, to be taken again, even if there is nothing to write. */
  renew(partition?: number): void {
    if (partition === undefined) this.#producer.renewAll()
    else void this.#producer.renew(partition)
  }

  /** Takes a partition again. Resolves when it is taken or lost. */
  renewed(partition: number): Promise<void> {
    return this.#producer.renew(partition)
  }

  /**
   * Withholds the batches of a partition. To be called only from the producer's renew(), when nothing of the partition
   * is in flight.
   * @returns false if the partition is lost
   */
  withhold(partition: number): boolean {
    const state = this.#partitions.get(partition)
    if (state !== undefined) this.#amending.withhold(state, this.#producer.withdraw(partition))
    return state !== undefined
  }

  /** To be called when a withheld partition was taken. */
  taken(partition: number, identity: ProducerIdentity, end: PartitionEnd): void {
    if (this.#partitions.get(partition) !== undefined) this.#producer.own(partition, identity, end)
  }

  /** To be called when another instance has the partition. */
  takenByOther(partition: number, error: LatchkeyError): void {
    this.#producer.lose(partition, error)
  }

  /**
   * Amends a withheld partition.
   * @returns false if it was withheld again meanwhile, or lost
   */
  async amend(partition: number, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const state = this.#partitions.get(partition)
    return state !== undefined && (await this.#amending.write(state, write))
  }

  /** Reads a withheld partition again from a source offset on. Batches that wait are dropped. */
  rewind(partition: number, position: number): void {
    const state = this.#partitions.get(partition)
    if (state !== undefined) this.#settlement.rewind(state, position)
  }

  /** Ends the withholding of a partition. */
  release(partition: number): void {
    const state = this.#partitions.get(partition)
    if (state?.isWithheld === true) this.#amending.release(state)
  }

  /**
   * Resolves when a partition is acknowledged up to a source offset.
   * @returns false if it is lost
   */
  async reached(partition: number, position: number): Promise<boolean> {
    const state = this.#partitions.get(partition)
    if (state === undefined) return false
    const isLost = () => !this.#partitions.isCurrent(state)
    await this.#accounting.progress.until(() => isLost() || state.acknowledged >= position)
    return !isLost()
  }
}
