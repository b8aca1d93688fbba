/** What a repair of the changelog does to a partition in ingest: see ../repair/repairs.ts. */
import { type LatchkeyError } from '../../errors.ts'
import { type ProducerIdentity } from '../../kafka/fence.ts'
import { type PartitionEnd, type Producer } from '../../kafka/producer.ts'
import { type Amending } from './amending.ts'
import { type Amendment } from './amendment.ts'
import { type ChangelogBatch } from './changelog-batch.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { type Settlement } from './settlement.ts'

export class RepairPort {
  readonly #partitions: ReadonlyMap<number, PartitionIngest>
  readonly #producer: Producer<ChangelogBatch>
  readonly #amending: Amending
  readonly #settlement: Settlement

  constructor(
    partitions: ReadonlyMap<number, PartitionIngest>,
    producer: Producer<ChangelogBatch>,
    amending: Amending,
    settlement: Settlement,
  ) {
    this.#partitions = partitions
    this.#producer = producer
    this.#amending = amending
    this.#settlement = settlement
  }

  isHalted(partition: number): boolean {
    return this.#partitions.get(partition)?.halt !== undefined
  }

  /** Has partitions taken again, all that there are or one, even where there is nothing to write. */
  renew(partition?: number): void {
    if (partition === undefined) this.#producer.renewAll()
    else void this.#producer.renew(partition)
  }

  /** Has a partition taken again. Resolves when that is done, or it is lost. */
  renewed(partition: number): Promise<void> {
    return this.#producer.renew(partition)
  }

  /**
   * Withholds what a partition has to write. From within the producer's renew() only, when nothing of it is under way.
   * @returns false where the partition is lost
   */
  withhold(partition: number): boolean {
    const one = this.#partitions.get(partition)
    if (one !== undefined) this.#amending.withhold(one, this.#producer.withdraw(partition))
    return one !== undefined
  }

  /** A partition that is withheld was taken. */
  taken(partition: number, identity: ProducerIdentity, end: PartitionEnd): void {
    if (this.#partitions.has(partition)) this.#producer.own(partition, identity, end)
  }

  /** Another instance has it. */
  takenByOther(partition: number, error: LatchkeyError): void {
    this.#producer.lose(partition, error)
  }

  /** Amends a partition that is withheld. @returns false where it was withheld again meanwhile, or lost */
  async amend(partition: number, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const one = this.#partitions.get(partition)
    return one !== undefined && (await this.#amending.write(one, write))
  }

  /** A partition that is withheld is to be read again from a source offset on: all that waits is dropped. */
  rewind(partition: number, position: number): void {
    const one = this.#partitions.get(partition)
    if (one !== undefined) this.#settlement.rewind(one, position)
  }

  /** A partition that is withheld goes on. */
  release(partition: number): void {
    const one = this.#partitions.get(partition)
    if (one?.isWithheld === true) this.#amending.release(one)
  }

  /** Resolves when a partition is acknowledged up to a source offset. @returns false where it is lost */
  async reached(partition: number, position: number): Promise<boolean> {
    const one = this.#partitions.get(partition)
    if (one === undefined) return false
    const isOurs = () => this.#partitions.get(partition) === one
    await this.#settlement.progress.until(() => !isOurs() || one.acknowledged >= position)
    return isOurs()
  }
}
