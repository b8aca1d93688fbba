/**
 * Follows the records of a replica: how far they go in the source, which decides where the source is resumed if the
 * replica becomes a primary, and the changes if they are recorded.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { SourceTrailState } from '../../store-protocol/snapshot-facts.ts'
import type { RecordTrail } from '../apply.ts'
import { SourceTrail } from '../recovery/source-trail.ts'

export class ReplicaTrail implements RecordTrail {
  readonly source: SourceTrail
  #records: number
  #recording: RecordTrail | undefined

  /**
   * @param state of what was read before
   * @param records number of records that were read before
   */
  constructor(state?: SourceTrailState, records = 0) {
    this.source = new SourceTrail(state)
    this.#records = records
  }

  /** Number of changelog records that led to what the map has. */
  get records(): number {
    return this.#records
  }

  /** Source offset up to which the replica has everything, excluded; -1 if no record has named one. */
  get position(): number {
    const { reached } = this.source
    return reached < 0 ? -1 : Math.floor(reached) + 1
  }

  /** Sets what records the changes of the next batch; undefined if no client follows them. */
  recordBy(recording: RecordTrail | undefined): void {
    this.#recording = recording
  }

  note(batch: RecordBatchReader, sourceOffset: number): void {
    this.#records++
    this.source.note(batch, sourceOffset)
    this.#recording?.note(batch, sourceOffset)
  }

  settle(batch: RecordBatchReader): void {
    this.source.settle(batch)
    this.#recording?.settle(batch)
  }
}
