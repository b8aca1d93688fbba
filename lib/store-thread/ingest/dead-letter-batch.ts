/** A batch of dead letters of one source partition. */
import {
  batchBytesOfOne,
  HeaderBlock,
  HeaderCursor,
  type ProducerState,
  RecordBatchBuilder,
  RecordBatchReader,
} from '../../kafka/record-batch/index.ts'
import { addFault, type Fault, type Omitted, omittedHeader, prefix } from './dead-letter-headers.ts'
import type { PartitionIngest } from './partition-ingest.ts'

/** A record as it was found. A length of -1 means null. */
export interface BadRecord {
  data: Buffer
  keyStart: number
  keyLength: number
  valueStart: number
  valueLength: number
  headersStart: number
  headersEnd: number
  headerCount: number
  timestamp: number
}

/** Maximum size of a batch with the dead letters of one fetched chunk. A larger dead letter has its own batch. */
const batchBytes = 256 << 10

/** Parts to leave out of a dead letter that is too large, in this order until it fits. */
const cuts: readonly (Omitted | undefined)[] = [undefined, 'value', 'value, headers', 'key, value, headers']

export class DeadLetterBatch {
  readonly state: PartitionIngest
  /** Source offsets of the dead letters. */
  readonly offsets: number[] = []
  readonly #builder: RecordBatchBuilder
  readonly #headers = new HeaderBlock()
  /** Index in `cuts` that refusals have reached for the only dead letter of the batch. */
  #cut = 0
  #isRetimed = false

  constructor(state: PartitionIngest, bytes = batchBytes) {
    this.state = state
    this.#builder = new RecordBatchBuilder(bytes)
  }

  get count(): number {
    return this.#builder.count
  }

  get bytes(): number {
    return this.#builder.bytes
  }

  seal(producer: ProducerState): Buffer {
    return this.#builder.seal(producer)
  }

  /** @returns false if the batch is full; it is then unchanged */
  add(found: BadRecord, fault: Fault, storeId: string, maxMessageBytes: number): boolean {
    for (const omitted of cuts) {
      const headers = this.#headersOf(found, fault, storeId, omitted)
      const keyLength = omitted === 'key, value, headers' ? -1 : found.keyLength
      const valueLength = omitted === undefined ? found.valueLength : -1
      const isSmallest = omitted === cuts.at(-1)
      if (batchBytesOfOne(keyLength, valueLength, false, headers) > maxMessageBytes && !isSmallest) continue
      return this.#append({ ...found, keyLength, valueLength }, headers, fault.offset)
    }
    return false
  }

  /**
   * Returns the batches that replace a refused batch. Each dead letter gets its own batch; a single one first gets the
   * current time as its timestamp, then fewer and fewer parts.
   * @param timeAtFault whether the broker refused the timestamp
   * @returns undefined if there is nothing left to leave out
   */
  parts(timeAtFault: boolean): DeadLetterBatch[] | undefined {
    const isAlone = this.count === 1
    const isRetimed = this.#isRetimed || (isAlone && timeAtFault)
    const cut = isAlone && isRetimed === this.#isRetimed ? this.#cut + 1 : this.#cut
    if (cut === cuts.length) return undefined
    const sealed = this.#builder.plain()
    const deadLetters = new RecordBatchReader()
    deadLetters.open(sealed, 0, sealed.length)
    deadLetters.nextBatch()
    deadLetters.openRecords({ checkCrc: false })
    return this.offsets.map((offset) => {
      deadLetters.nextRecord()
      const part = new DeadLetterBatch(this.state, 0)
      part.#copy(deadLetters, offset, cut, isRetimed)
      return part
    })
  }

  #copy(deadLetter: RecordBatchReader, offset: number, cut: number, isRetimed: boolean): void {
    const { data, keyStart, valueStart } = deadLetter
    const omitted = cuts[cut]
    const headers = this.#headers
    headers.clear()
    copyHeaders(deadLetter, headers, omitted)
    if (omitted !== undefined) headers.add(omittedHeader, omitted)
    const keyLength = omitted === 'key, value, headers' ? -1 : deadLetter.keyLength
    const valueLength = omitted === undefined ? deadLetter.valueLength : -1
    const timestamp = isRetimed ? Date.now() : deadLetter.timestamp
    this.#cut = cut
    this.#isRetimed = isRetimed
    this.#append({ data, keyStart, keyLength, valueStart, valueLength, timestamp }, headers, offset)
  }

  #headersOf(found: BadRecord, fault: Fault, storeId: string, omitted: Omitted | undefined): HeaderBlock {
    const headers = this.#headers
    headers.clear()
    const { data, headersStart, headersEnd, headerCount } = found
    const isWhole = omitted === undefined || omitted === 'value'
    if (isWhole && headerCount > 0) headers.copy(data, headersStart, headersEnd, headerCount)
    addFault(headers, storeId, fault, omitted)
    return headers
  }

  #append(found: Omit<BadRecord, 'headersStart' | 'headersEnd' | 'headerCount'>, headers: HeaderBlock, offset: number) {
    const { data, keyStart, keyLength, valueStart, valueLength, timestamp } = found
    const isTaken = this.#builder.append(data, keyStart, keyLength, valueStart, valueLength, timestamp, -1, headers)
    if (isTaken) this.offsets.push(offset)
    return isTaken
  }
}

/** Copies all headers, or only those that Latchkey added. Leaves out the header that lists omitted parts. */
function copyHeaders(deadLetter: RecordBatchReader, to: HeaderBlock, omitted: Omitted | undefined): void {
  const { data, headersStart, headersEnd } = deadLetter
  const all = omitted === undefined || omitted === 'value'
  const cursor = new HeaderCursor()
  cursor.open(data, headersStart, headersEnd)
  while (cursor.next()) {
    const name = data.toString('utf8', cursor.nameStart, cursor.nameEnd)
    if (name !== omittedHeader && (all || name.startsWith(prefix))) to.copy(data, cursor.start, cursor.end, 1)
  }
}
