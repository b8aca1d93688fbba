/** The files of a store's snapshots, as this folder uses them. ../../map/snapshot has them. */
import type { SnapshotCandidate, SnapshotFailure, SnapshotFault, SnapshotTaken } from '../../map/index.ts'

export interface PartitionSnapshots {
  /** Snapshots of a partition whose manifests are whole, the latest first, and what is wrong with others. */
  candidates(partition: number): {
    snapshots: readonly SnapshotCandidate[]
    faults: readonly SnapshotFault[]
  }
  /** Reads a snapshot into the map. @returns what is wrong; the partition is empty then */
  restore(candidate: SnapshotCandidate): Promise<SnapshotFault | undefined>
  /** Empties a partition again into which a snapshot was read. */
  discard(candidate: SnapshotCandidate): void
  /**
   * Makes memory independent of the files that it was read from, or returns why not. Not while take() runs.
   */
  own(): Promise<SnapshotFailure | undefined>
  /** Writes a snapshot of a partition. Everything below the position of the facts is visible. */
  take(partition: number, facts: unknown): Promise<SnapshotTaken | SnapshotFailure>
  /**
   * Has the snapshot that is being written make no further pauses.
   * @param isLasting whether no later one makes any either
   */
  hurry(isLasting?: boolean): void
  /** Whether no snapshot can be taken any more. */
  readonly isOff: boolean
  close(): void
}
