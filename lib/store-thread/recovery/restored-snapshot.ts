/** A snapshot that was read into the map. The changelog is read from its position on. */
import type { SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'

export interface RestoredSnapshot {
  readonly facts: SnapshotFacts
  readonly entries: number
  /** Size of its files. */
  readonly bytes: number
  readonly ageMs: number
}
