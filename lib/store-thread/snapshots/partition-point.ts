/** What a snapshot needs to know of a partition while the store runs. */
import type { SuccessionState } from '../../store-protocol/snapshot-facts.ts'
import type { BrokerClock } from '../broker-clock.ts'

export interface PartitionPoint {
  /** Next changelog offset: everything below it is in the map. */
  readonly position: number
  /** The same, with the markers that follow. */
  readonly known: number
  readonly changelogStart: number
  readonly owners: SuccessionState
  readonly clock: BrokerClock | undefined
}

export interface SnapshotPartition {
  /** Undefined while the map does not have exactly what the changelog says, or another instance owns the partition. */
  point(): PartitionPoint | undefined
}
