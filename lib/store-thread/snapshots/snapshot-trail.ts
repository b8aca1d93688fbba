/**
 * What a later start has to know of the changelog records before a snapshot: how far they go in the source, and how many
 * there were. Follows each record that enters the map.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { SourceTrailState } from '../../store-protocol/snapshot-facts.ts'
import type { RecordTrail } from '../apply.ts'
import { SourceTrail } from '../recovery/source-trail.ts'

export class SnapshotTrail implements RecordTrail {
  #records: number
  readonly #trail: SourceTrail
  #other: RecordTrail | undefined

  constructor(records: number, state?: SourceTrailState) {
    this.#records = records
    this.#trail = new SourceTrail(state)
  }

  get records(): number {
    return this.#records
  }

  get state(): SourceTrailState {
    return this.#trail.state
  }

  /**
   * Returns what follows the records of the next batch.
   * @param base changelog offset of the record at offset 0 of the batch
   * @param other follows the same records
   */
  of(base: number, other: RecordTrail | undefined): RecordTrail {
    this.#trail.beginsAt(base)
    this.#other = other
    return this
  }

  note(batch: RecordBatchReader, sourceOffset: number): void {
    this.#records++
    this.#trail.note(batch, sourceOffset)
    this.#other?.note(batch, sourceOffset)
  }

  settle(batch: RecordBatchReader): void {
    this.#trail.settle(batch)
    this.#other?.settle(batch)
  }
}
