/** Follows the records of a replica: the source offset that they have reached, and the changes if they are recorded. */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { RecordTrail } from '../apply.ts'
import { discardOffset } from '../recovery/source-trail.ts'

export class ReplicaTrail implements RecordTrail {
  #recording: RecordTrail | undefined
  #reached: number

  /** @param reached highest source offset of what was read before */
  constructor(reached = -1) {
    this.#reached = reached
  }

  /** Source offset up to which the replica has everything, excluded; -1 if no record has named one. */
  get position(): number {
    return this.#reached < 0 ? -1 : this.#reached + 1
  }

  /** Sets what records the changes of the next batch; undefined if no client follows them. */
  recordBy(recording: RecordTrail | undefined): void {
    this.#recording = recording
  }

  note(batch: RecordBatchReader, sourceOffset: number): void {
    if (sourceOffset >= 0) this.#reached = Math.max(this.#reached, sourceOffset)
    else if (sourceOffset === discardOffset) this.#reached = -1
    else this.#reached = Math.max(this.#reached, batch.afterOffset())
    this.#recording?.note(batch, sourceOffset)
  }

  settle(batch: RecordBatchReader): void {
    this.#recording?.settle(batch)
  }
}
