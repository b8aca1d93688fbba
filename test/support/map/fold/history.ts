/**
 * What the fold test writes, so that a reader can compute what each partition shows at each position. Record number `s`
 * of a partition overwrites one of its keys, in a fixed order; a tenth of the keys is deleted and added by turns. Every
 * 16th record adds a further key, so that tables grow. One more key shows the last publish: its offset is the position,
 * which is the number of records shown, and its timestamp the round.
 */
import { halfSipHash13 } from '../../../../lib/map/memory/half-sip-hash.ts'

/** A prime, so that each cycle overwrites each key once. */
export const keyCount = 499
const stride = 7
/** `stride * inverse` is 1 modulo keyCount. */
const inverse = Array.from({ length: keyCount }, (_, i) => i).find((i) => (i * stride) % keyCount === 1)!
const furtherEvery = 16
const furtherMax = 6000
const valueHeaderBytes = 8

export function keyOf(partition: number, number: number): string {
  return `${partition} key ${number}`
}

export function positionKeyOf(partition: number): string {
  return `${partition} position`
}

function furtherKeyOf(partition: number, record: number): string {
  return `${partition} further ${record}`
}

/** The key of a record, and whether the record deletes it. */
export function operationOf(partition: number, record: number): { key: string; isDelete: boolean } {
  const number = (record * stride) % keyCount
  return { key: keyOf(partition, number), isDelete: isDeleted(number, record) }
}

/** The key that is added beside the record; undefined if none is. */
export function furtherOf(partition: number, record: number): string | undefined {
  const isFurther = record % furtherEvery === 0 && record < furtherEvery * furtherMax
  return isFurther ? furtherKeyOf(partition, record) : undefined
}

function isDeleted(number: number, record: number): boolean {
  return number % 10 === 9 && Math.floor(record / keyCount) % 2 === 1
}

/** Returns the record that a key of the partition shows at a position; undefined if the key does not exist then. */
export function shownRecord(number: number, position: number): number | undefined {
  const first = (number * inverse) % keyCount
  if (position <= first) return undefined
  const record = first + keyCount * Math.floor((position - 1 - first) / keyCount)
  return isDeleted(number, record) ? undefined : record
}

export function writeValue(target: Buffer, at: number, record: number): number {
  const length = valueHeaderBytes + (Math.imul(record, 0x9e3779b1) >>> 22)
  target.writeInt32LE(record, at)
  target.writeInt32LE(length, at + 4)
  target.fill(record & 0xff, at + valueHeaderBytes, at + length)
  return length
}

const expected = Buffer.alloc(valueHeaderBytes + 1024)

export function isValueOf(record: number, value: Uint8Array): boolean {
  const length = writeValue(expected, 0, record)
  return expected.compare(value, 0, value.length, 0, length) === 0
}

/** A key of a partition: how to say what it shows at a position. */
export interface KnownKey {
  readonly key: string
  readonly hash: number
  shownAt(position: number): number | undefined
}

/** All keys that a partition ever has, in order of their hashes. */
export function knownKeys(partition: number, [seed0, seed1]: readonly [number, number]): KnownKey[] {
  const of = (key: string, shownAt: KnownKey['shownAt']): KnownKey => {
    const bytes = Buffer.from(key)
    return { key, hash: halfSipHash13(seed0, seed1, bytes, 0, bytes.length) >>> 0, shownAt }
  }
  const base = Array.from({ length: keyCount }, (_, number) =>
    of(keyOf(partition, number), (position) => shownRecord(number, position)),
  )
  const further = Array.from({ length: furtherMax }, (_, index) => {
    const record = index * furtherEvery
    return of(furtherKeyOf(partition, record), (position) => (position > record ? record : undefined))
  })
  const position = of(positionKeyOf(partition), (shown) => (shown > 0 ? shown : undefined))
  return [...base, ...further, position].toSorted((a, b) => a.hash - b.hash)
}
