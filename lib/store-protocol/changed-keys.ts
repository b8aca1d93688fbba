/**
 * The keys that a part of a changelog partition changes, as a store thread reads it for followers that continue at an
 * old place. Each key is there once, with its last record in the part, in the order of those records. No values: what a
 * key has now is in the map.
 *
 * A record, in the machine's byte order, with its size rounded up to 8:
 *
 *   0  float64  changelog offset
 *   8  float64  source offset, -1 if unknown
 *  16  float64  key length
 *  24  key
 */

/** Offsets from `from` up to `to`, excluded. */
export interface KeysPart {
  readonly partition: number
  readonly from: number
  readonly to: number
  /** When the reading began, in ms since the epoch. */
  readonly readAt: number
  /** How long the changelog keeps a tombstone at least; -1 if that is not known. */
  readonly deleteRetentionMs: number
  readonly records: Uint8Array<ArrayBuffer>
}

/** A key with its last record. */
export interface KeyRecord {
  readonly key: Uint8Array
  readonly changelogOffset: number
  readonly sourceOffset: number
}

/**
 * What a request for keys has led to. `lost`: the changelog does not have the offsets, or cannot be read. If no keys were
 * asked for: `reached`, everything below the offset is visible; `ahead`, the changelog has it, and it is not visible yet.
 */
export type KeysFound = KeysPart | 'reached' | 'ahead' | 'lost'

const headerBytes = 24

export function keyRecordBytes(keyLength: number): number {
  return (headerBytes + keyLength + 7) & ~7
}

export function encodeKeys(records: Iterable<KeyRecord>, bytes: number): Uint8Array<ArrayBuffer> {
  const encoded = new Uint8Array(bytes)
  const doubles = new Float64Array(encoded.buffer)
  let at = 0
  for (const { key, changelogOffset, sourceOffset } of records) {
    doubles[at >>> 3] = changelogOffset
    doubles[(at >>> 3) + 1] = sourceOffset
    doubles[(at >>> 3) + 2] = key.length
    encoded.set(key, at + headerBytes)
    at += keyRecordBytes(key.length)
  }
  return encoded
}

/** Moves over the records of a part. */
export class KeysCursor {
  changelogOffset = -1
  sourceOffset = -1
  keyStart = 0
  keyLength = 0
  /** Place of the record in the part. */
  start = 0
  readonly data: Buffer
  readonly #doubles: Float64Array
  #at: number

  /** @param start place of a record in the part */
  constructor({ records }: KeysPart, start = 0) {
    this.#at = start
    this.data = Buffer.from(records.buffer, records.byteOffset, records.length)
    this.#doubles = new Float64Array(records.buffer, records.byteOffset, records.length >>> 3)
  }

  /** Goes to a place, whose record is the next one. */
  seek(place: number): void {
    this.#at = place
  }

  /** Moves to the next record. Returns false at the end. */
  next(): boolean {
    const at = this.#at
    if (at >= this.data.length) return false
    this.start = at
    this.changelogOffset = this.#doubles[at >>> 3]!
    this.sourceOffset = this.#doubles[(at >>> 3) + 1]!
    this.keyLength = this.#doubles[(at >>> 3) + 2]!
    this.keyStart = at + headerBytes
    this.#at = at + keyRecordBytes(this.keyLength)
    return true
  }
}
