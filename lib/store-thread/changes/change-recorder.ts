/**
 * Records which keys change, while a thread follows the changes and some time after. Otherwise it costs nothing for a
 * record. What was recorded becomes visible with the publish of the same records.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { ringBytesWithin } from '../../store-protocol/change-ring.ts'
import type { RecordTrail } from '../apply.ts'
import { ChangeRingWriter } from './ring-writer.ts'
import type { VisiblePositions } from './visible-positions.ts'

export class ChangeRecorder implements RecordTrail {
  readonly #partitions: readonly number[]
  readonly #positions: VisiblePositions
  readonly #bytes: number
  /** Changelog position from which the ring would be complete; Infinity if it is not known. */
  readonly #floors: Float64Array
  /** Kept once it exists: the engine does not reliably free shared memory. */
  #ring: ChangeRingWriter | undefined
  #isRecording = false
  #endPublishing = 0
  // Of the batch whose records are applied.
  #partition = -1
  #row = -1
  /** Changelog offset of the record at offset 0 of the batch; NaN if it is unknown. */
  #base = 0

  /** @param bytes size of the ring */
  constructor(partitions: readonly number[], positions: VisiblePositions, bytes: number) {
    this.#partitions = partitions
    this.#positions = positions
    this.#bytes = ringBytesWithin(bytes)
    this.#floors = new Float64Array(partitions.length).fill(Number.POSITIVE_INFINITY)
  }

  get isRecording(): boolean {
    return this.#isRecording
  }

  /** Records the changes from now on. @returns the ring */
  start(): ChangeRingWriter {
    if (this.#ring === undefined) this.#ring = new ChangeRingWriter(this.#bytes, this.#partitions, this.#floors)
    else if (!this.#isRecording) this.#ring.restart()
    if (!this.#isRecording) this.#endPublishing = this.#ring.end
    this.#isRecording = true
    return this.#ring
  }

  stop(): void {
    this.#isRecording = false
  }

  /**
   * Returns the trail for the records of a batch that are about to be applied; undefined if nothing is recorded.
   * @param base changelog offset of the record at offset 0 of the batch; -1 if it is unknown
   */
  trailOf(partition: number, base: number): RecordTrail | undefined {
    if (!this.#isRecording) return undefined
    this.#partition = partition
    this.#row = this.#positions.rowOf(partition)
    this.#base = base < 0 ? Number.NaN : base
    return this
  }

  note(batch: RecordBatchReader, sourceOffset: number): void {
    const offset = this.#base + batch.offset
    const isKnown = offset >= 0
    this.#floors[this.#row] = isKnown ? offset + 1 : Number.POSITIVE_INFINITY
    const { data, keyStart, keyLength, valueLength } = batch
    const ring = this.#ring!
    ring.append(this.#partition, isKnown ? offset : -1, sourceOffset, data, keyStart, keyLength, valueLength < 0)
  }

  settle(): void {}

  /** Notes the changelog position after a batch. Call it after its records are applied. */
  reached(partition: number, position: number): void {
    this.#floors[this.#positions.rowOf(partition)] = position
    this.#positions.noteChangelog(partition, position)
  }

  /** Notes that a batch was applied whose place in the changelog is not known. */
  lost(partition: number): void {
    this.#floors[this.#positions.rowOf(partition)] = Number.POSITIVE_INFINITY
    this.#positions.noteLost(partition)
  }

  /** Forgets a partition, which leaves the map with the next publish. */
  left(partition: number): void {
    const row = this.#positions.rowOf(partition)
    this.#floors[row] = Number.POSITIVE_INFINITY
    this.#ring?.forget(row)
    this.#positions.left(partition)
  }

  /** To be called when a publish begins. */
  began(): void {
    if (this.#isRecording) this.#endPublishing = this.#ring!.end
  }

  /**
   * To be called when it has ended.
   * @returns whether there are changes that were not visible before
   */
  ended(): boolean {
    if (!this.#isRecording) return false
    this.#ring!.publish(this.#endPublishing)
    return true
  }
}
