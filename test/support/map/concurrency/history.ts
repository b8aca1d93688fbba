/**
 * What the concurrency test writes and how it is checked. Every value names its key and a sequence number that grows with each
 * put of that key, and all its bytes follow from those. The writer keeps two shared counters for each key: the sequence last
 * put, raised before the put, and the sequence that readers must see, raised after a publish has resolved. So for every read:
 *
 *   required before the read <= sequence read <= put after the read, and never less than the reader saw before.
 */
export const keyCount = 300
/** Keys of which the writer deletes some; others must always be found once they are required. */
export const deletedEvery = 5
const valueHeaderBytes = 16

export interface Shared {
  readonly stop: Int32Array
  readonly put: Int32Array
  readonly required: Int32Array
  /** By partition, where partitions come and go: the life in which it is readable throughout, or 0; the last sequence of lives that ended. */
  readonly present: Int32Array
  readonly ended: Int32Array
}

export function createShared(): Shared {
  const words = () => new Int32Array(new SharedArrayBuffer(4 * keyCount))
  return {
    stop: new Int32Array(new SharedArrayBuffer(4)),
    put: words(),
    required: words(),
    present: words(),
    ended: words(),
  }
}

export function keyOf(number: number): Uint8Array {
  return Buffer.from(`key ${number}`.padEnd(8 + (number % 50), '.'))
}

/** Sizes from nothing over several segments to more than a slab; the large ones make a read long enough to be overtaken. */
function sizeOf(key: number, sequence: number): number {
  const kind = (Math.imul(sequence ^ (key << 8), 0x9e3779b1) >>> 8) % 1000
  if (key < 6) return 20_000 + kind * 150
  return kind < 990 ? kind : kind * 20
}

export function writeValue(target: Buffer, at: number, key: number, sequence: number): number {
  const length = valueHeaderBytes + sizeOf(key, sequence)
  target.writeInt32LE(key, at)
  target.writeInt32LE(sequence, at + 4)
  target.writeInt32LE(length, at + 8)
  target.writeInt32LE(key ^ sequence ^ length, at + 12)
  target.fill(patternOf(key, sequence), at + valueHeaderBytes, at + length)
  return length
}

/** Throws what is wrong with a value read for a key. Returns its sequence. */
export function checkValue(key: number, value: Uint8Array): number {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length)
  if (bytes.length < valueHeaderBytes) throw new Error(`torn: value of key ${key} has ${bytes.length} bytes`)
  const sequence = bytes.readInt32LE(4)
  const length = bytes.readInt32LE(8)
  const sound = bytes.readInt32LE(0) === key && bytes.readInt32LE(12) === (key ^ sequence ^ length)
  if (!sound || length !== bytes.length || length !== valueHeaderBytes + sizeOf(key, sequence)) {
    throw new Error(
      `torn: header of key ${key} is ${bytes.toString('hex', 0, valueHeaderBytes)}, value ${bytes.length} bytes`,
    )
  }
  const body = bytes.subarray(valueHeaderBytes)
  if (!body.equals(Buffer.alloc(body.length, patternOf(key, sequence)))) {
    throw new Error(`torn: body of key ${key}, sequence ${sequence}, ${length} bytes`)
  }
  return sequence
}

function patternOf(key: number, sequence: number): Buffer {
  const pattern = Buffer.alloc(8)
  pattern.writeInt32LE(key + 1)
  pattern.writeInt32LE(sequence, 4)
  return pattern
}
