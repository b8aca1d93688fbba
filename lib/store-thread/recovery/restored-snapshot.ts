/** A snapshot that was read into the map. The changelog is read from its position on. */
import type { SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'

export interface RestoredSnapshot {
  readonly facts: SnapshotFacts
  readonly entries: number
  readonly ageMs: number
}
