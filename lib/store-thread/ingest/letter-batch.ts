/** Dead letters of one partition of the source, on their way in one batch. */
import {
  batchBytesOfOne,
  HeaderBlock,
  HeaderCursor,
  type ProducerState,
  RecordBatchBuilder,
  RecordBatchReader,
} from '../../kafka/record-batch/index.ts'
import { addFault, type Fault, type Omitted, omittedHeader, prefix } from './dead-letter-headers.ts'
import { type PartitionIngest } from './partition-ingest.ts'

/** A record as it was found; lengths -1: null. */
export interface Found {
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

/** A batch takes the letters of one fetched chunk, up to this size; a larger letter has one of its own. */
const batchBytes = 256 << 10

/** What is left out of a letter that is too large, the first that fits counts. */
const cuts: readonly (Omitted | undefined)[] = [undefined, 'value', 'value, headers', 'key, value, headers']

export class LetterBatch {
  readonly one: PartitionIngest
  /** Source offsets of the letters. */
  readonly offsets: number[] = []
  readonly #builder: RecordBatchBuilder
  readonly #headers = new HeaderBlock()
  /** What refusals have taken from the one letter. */
  #cut = 0
  #isRetimed = false

  constructor(one: PartitionIngest, bytes = batchBytes) {
    this.one = one
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

  /** @returns false where the batch is full, with nothing changed */
  add(found: Found, fault: Fault, storeId: string, maxMessageBytes: number): boolean {
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
   * What to write instead of a batch that the topic refuses as it is: each letter alone; one that is alone with a timestamp of now, then with
   * less and less in it.
   * @param timeAtFault the broker says so
   * @returns undefined where nothing is left to cut
   */
  parts(timeAtFault: boolean): LetterBatch[] | undefined {
    const isAlone = this.count === 1
    const isRetimed = this.#isRetimed || (isAlone && timeAtFault)
    const cut = isAlone && isRetimed === this.#isRetimed ? this.#cut + 1 : this.#cut
    if (cut === cuts.length) return undefined
    const sealed = this.#builder.plain()
    const letters = new RecordBatchReader()
    letters.open(sealed, 0, sealed.length)
    letters.nextBatch()
    letters.openRecords({ checkCrc: false })
    return this.offsets.map((offset) => {
      letters.nextRecord()
      const part = new LetterBatch(this.one, 0)
      part.#copy(letters, offset, cut, isRetimed)
      return part
    })
  }

  #copy(letter: RecordBatchReader, offset: number, cut: number, isRetimed: boolean): void {
    const { data, keyStart, valueStart } = letter
    const omitted = cuts[cut]
    const headers = this.#headers
    headers.clear()
    copyHeaders(letter, headers, omitted)
    if (omitted !== undefined) headers.add(omittedHeader, omitted)
    const keyLength = omitted === 'key, value, headers' ? -1 : letter.keyLength
    const valueLength = omitted === undefined ? letter.valueLength : -1
    const timestamp = isRetimed ? Date.now() : letter.timestamp
    this.#cut = cut
    this.#isRetimed = isRetimed
    this.#append({ data, keyStart, keyLength, valueStart, valueLength, timestamp }, headers, offset)
  }

  #headersOf(found: Found, fault: Fault, storeId: string, omitted: Omitted | undefined): HeaderBlock {
    const headers = this.#headers
    headers.clear()
    const { data, headersStart, headersEnd, headerCount } = found
    const isWhole = omitted === undefined || omitted === 'value'
    if (isWhole && headerCount > 0) headers.copy(data, headersStart, headersEnd, headerCount)
    addFault(headers, storeId, fault, omitted)
    return headers
  }

  #append(found: Omit<Found, 'headersStart' | 'headersEnd' | 'headerCount'>, headers: HeaderBlock, offset: number) {
    const { data, keyStart, keyLength, valueStart, valueLength, timestamp } = found
    const isTaken = this.#builder.append(data, keyStart, keyLength, valueStart, valueLength, timestamp, -1, headers)
    if (isTaken) this.offsets.push(offset)
    return isTaken
  }
}

/** All headers, or those that we have added; without what was said to be left out. */
function copyHeaders(letter: RecordBatchReader, to: HeaderBlock, omitted: Omitted | undefined): void {
  const { data, headersStart, headersEnd } = letter
  const all = omitted === undefined || omitted === 'value'
  const cursor = new HeaderCursor()
  cursor.open(data, headersStart, headersEnd)
  while (cursor.next()) {
    const name = data.toString('utf8', cursor.nameStart, cursor.nameEnd)
    if (name !== omittedHeader && (all || name.startsWith(prefix))) to.copy(data, cursor.start, cursor.end, 1)
  }
}
