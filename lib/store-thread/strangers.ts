/**
 * Finds copies that hold keys which the partitioner puts elsewhere: from other partitioners, from before the topic got more
 * partitions, or written to a partition of choice. Where instances share the partitions, a miss counts only if all have
 * been asked then. Only where partitions come and go.
 */
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import { loggerOf } from '../log/index.ts'
import { partitionOf } from '../map/index.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { Placing, SnapshotFacts } from '../store-protocol/snapshot-facts.ts'
import type { Stats } from '../store-protocol/stats.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { RecordTrail } from './apply.ts'

const log = loggerOf('store')

type KnownStrangers = NonNullable<WantedRoles['strangers']>

/** Returns undefined where partitions do not come and go. */
export function strangersOf(
  { elastic, partitioner }: Pick<StoreConfig, 'elastic' | 'partitioner'>,
  stats: Stats,
  partitionCount: number,
): Strangers | undefined {
  return elastic === undefined ? undefined : new Strangers(stats, partitioner, partitionCount, elastic.from)
}

export class Strangers implements RecordTrail {
  readonly #stats: Stats
  readonly #partitioner: StoreConfig['partitioner']
  #partitionCount: number
  // Of the batch whose records are applied.
  #partition = -1
  #other: RecordTrail | undefined
  #known: (strangers: KnownStrangers) => void = () => {}
  /** What the last plan knows. */
  #planned: readonly number[] = []
  readonly #from: number

  /** @param from partitions from this number on were added while the instance ran; 0 if none was */
  constructor(stats: Stats, partitioner: StoreConfig['partitioner'], partitionCount: number, from = 0) {
    this.#stats = stats
    this.#partitioner = partitioner
    this.#partitionCount = partitionCount
    this.#from = from
  }

  /** How keys are placed that are not strangers. */
  get placing(): Placing {
    return { partitioner: this.#partitioner, partitionCount: this.#partitionCount }
  }

  /** Calls with what the plans of the group know, one after the other. */
  onKnown(known: (strangers: KnownStrangers) => void): void {
    this.#known = known
  }

  /** To be called with what the present plan of the group knows. */
  known(strangers: KnownStrangers): void {
    this.#planned = strangers.partitions
    this.#known(strangers)
  }

  /** A copy begins empty. */
  begins(partition: number): void {
    this.#stats.setGauge(partition, 'strangers', 0)
  }

  /** A copy begins with a snapshot. */
  restored(partition: number, { placed }: Pick<SnapshotFacts, 'placed'>): void {
    const { partitioner, partitionCount } = this.placing
    const isKnown = placed?.partitioner === partitioner && placed.partitionCount === partitionCount
    this.#stats.setGauge(partition, 'strangers', isKnown ? 0 : 1)
  }

  /** How the keys of a copy are placed; undefined if some are not where the partitioner puts them. */
  placingOf(partition: number): Placing | undefined {
    return this.#stats.gauge(partition, 'strangers') === 0 ? this.placing : undefined
  }

  /** The topic has more partitions: what is held was placed by the former number. */
  grew(partitionCount: number): void {
    this.#partitionCount = partitionCount
    for (const partition of this.#stats.partitions) this.#stats.setGauge(partition, 'strangers', 1)
  }

  /** Returns what follows the records of the next batch. @param other follows the same records */
  trailOf(partition: number, other: RecordTrail | undefined): RecordTrail | undefined {
    if (this.#stats.gauge(partition, 'strangers') === 1) return other
    this.#partition = partition
    this.#other = other
    return this
  }

  note(batch: RecordBatchReader, sourceOffset: number): void {
    this.#other?.note(batch, sourceOffset)
    if (batch.valueLength < 0 || this.isPlaced(this.#partition, batch.data, batch.keyStart, batch.keyLength)) return
    this.met(this.#partition)
  }

  /** A key that enters a partition is not where the partitioner puts it. @returns whether it is the first one */
  met(partition: number): boolean {
    if (this.#stats.gauge(partition, 'strangers') === 1) return false
    this.#stats.setGauge(partition, 'strangers', 1)
    if (this.#from > 0) return true // each growth is logged
    const message =
      'Partition {partition} has keys that {partitioner} puts elsewhere. A key that is not found is asked of all instances'
    log.warn(message, { partition, partitioner: this.#partitioner })
    return true
  }

  settle(batch: RecordBatchReader): void {
    this.#other?.settle(batch)
  }

  /**
   * Whether all keys of a partition belong elsewhere for instances whose plan does not have it yet: it was added, and the
   * group has not said yet that it knows.
   */
  isUnknown(partition: number): boolean {
    return this.#from > 0 && !this.#planned.includes(partition)
  }

  /** Whether the partitioner puts a key into a partition. */
  isPlaced(partition: number, data: Uint8Array, keyStart: number, keyLength: number): boolean {
    switch (this.#partitioner) {
      case 'murmur2':
        return partitionOf(data, this.#partitionCount, keyStart, keyLength) === partition
      case 'crc32':
        // librdkafka puts an empty key anywhere.
        if (keyLength === 0) return true
        return Bun.hash.crc32(data.subarray(keyStart, keyStart + keyLength)) % this.#partitionCount === partition
      case 'none':
        return false
    }
  }
}
