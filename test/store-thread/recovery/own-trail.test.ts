import { expect, test } from 'bun:test'
import type { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { OwnTrail } from '../../../lib/store-thread/recovery/own-trail.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { opened } from '../../support/store-thread/stand-ins.ts'

const owner = 1
const other = 2

/** A batch of one record. */
function batchOf(at: number, producerId: number, name: 'src' | 'aft', offset: number): RecordBatchReader {
  const records = [rawRecord({ key: `key ${at}`, headers: [[name, headerOf(offset)]] })]
  return opened(rawBatch({ baseOffset: BigInt(at), producerId: BigInt(producerId), records }))
}

function marker(at: number, producerId: number): RecordBatchReader {
  return { baseOffset: at, producerId } as RecordBatchReader
}

type Entry = [producerId: number, name: 'src' | 'aft', offset: number] | [marker: number]

/** Reads a log that begins with a marker of the owner. */
function read(entries: readonly Entry[], committed?: number): OwnTrail {
  const trail = new OwnTrail(committed)
  let producer = owner
  for (const [at, entry] of entries.entries()) {
    if (entry.length === 1) {
      trail.marked(marker(at, entry[0]), entry[0] === producer)
      producer = entry[0]
      continue
    }
    const batch = batchOf(at, ...entry)
    const noting = trail.of(batch, entry[0] !== producer)
    while (batch.nextRecord()) noting.note(batch, batch.sourceOffset())
    noting.settle(batch)
  }
  return trail
}

function reachedIn({ trail: { last, after } }: OwnTrail) {
  return { src: last?.offset ?? -1, key: last?.key.toString(), aft: after }
}

test.each([
  ['src', { src: 9, key: 'key 0', aft: -1 }],
  ['aft', { src: 9, key: 'key 0', aft: -1 }],
] as const)(
  'OwnTrail leaves out %s of another producer before the owner takes the partition again',
  (name, expected) => {
    const log: Entry[] = [[owner, 'src', 9], [other, name, 60], [owner, 'src', 8], [owner]]
    expect(reachedIn(read(log))).toEqual(expected)
    expect(reachedIn(read([...log, [owner, 'src', 10]]))).toEqual({ src: 10, key: 'key 4', aft: -1 })
  },
)

test('OwnTrail counts what another producer wrote until the owner takes the partition again, or if another has it', () => {
  const log: Entry[] = [
    [owner, 'src', 9],
    [other, 'src', 60],
  ]
  expect(reachedIn(read(log)).src).toBe(60)
  expect(reachedIn(read([...log, [other], [other]])).src).toBe(60)
})

test('OwnTrail counts what is committed of it', () => {
  const log: Entry[] = [[owner, 'src', 9], [other, 'src', 49], [other, 'src', 60], [owner]]
  expect(reachedIn(read(log, 61))).toEqual({ src: 60, key: 'key 2', aft: -1 })
  expect(reachedIn(read(log, 50))).toEqual({ src: 9, key: 'key 0', aft: 49 })
})

test('OwnTrail knows which batches are foreign, and up to where their offsets count', () => {
  const trail = read([[other, 'src', 1], [owner], [owner, 'src', 9], [other, 'aft', 60], [owner], [other, 'src', 3]], 5)
  const rangeOf = (at: number, producerId: number) => trail.rangeOf(marker(at, producerId))
  expect(rangeOf(0, other)).toMatchObject({ to: 1, vouchedTo: 4.5 })
  expect(rangeOf(3, other)).toMatchObject({ to: 4, vouchedTo: 9 })
  expect([rangeOf(2, owner), rangeOf(3, owner), rangeOf(5, other)]).toEqual([undefined, undefined, undefined])
})
