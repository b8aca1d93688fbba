/** Operations on several keys as bytes, and what is not. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { PeerOperation, Result } from '../../lib/routing/operations.ts'
import { HopReader, HopWriter } from '../../lib/routing/wire-bytes.ts'
import { readOperations, readResult, writeOperations, writeResult } from '../../lib/routing/wire.ts'
import { Random } from '../support/random.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const lookup = { value: bytes('value'), partition: 3, offset: 42, timestamp: 1_700_000_000_000 }
const missed = { type: 'missed', caughtUp: true, isHalted: false, partition: 3 } as const
const failed = {
  type: 'failed',
  error: new LatchkeyError('recovering', 'Reading', { details: { partition: 1 } }),
} as const

const operations: PeerOperation[] = [
  { type: 'many', keys: [bytes('a'), bytes(''), bytes('c')], bytesMax: 16_777_216 },
  { type: 'many', keys: [], bytesMax: Infinity, searched: [0, 7, 65_535] },
  {
    type: 'chunk',
    position: { partition: 3, hash: 4_294_967_295, mark: 'mark' },
    bounds: { limit: 8_192, withValues: true },
  },
  { type: 'chunk', position: { partition: 0, hash: 0 }, bounds: { limit: 1, withValues: false, prefix: bytes('p') } },
  { type: 'count', partitions: [1, 2] },
  { type: 'visible', partitions: [] },
  { type: 'flush' },
]

const results: Result[] = [
  { type: 'many', epoch: 5, results: [{ type: 'found', lookup }, missed, { ...missed, lag: null }, failed] },
  {
    type: 'chunk',
    mark: 'mark',
    chunk: {
      epoch: 7,
      entries: [{ ...lookup, key: bytes('key'), headerBlock: bytes('h'), replicaLag: 4 }],
      examined: 9,
      next: { partition: 3, hash: 4_294_967_295 },
    },
  },
  { type: 'chunk', mark: 'mark', chunk: { epoch: 7, entries: [], examined: 0, next: undefined } },
  { type: 'count', epoch: 1, counts: [0, 9_000_000_000] },
  { type: 'visible', epoch: 3, positions: [-1, 5], written: [7, -1] },
  { type: 'flush', operations: 12 },
]

function written(write: (writer: HopWriter) => void): Uint8Array {
  const writer = new HopWriter()
  write(writer)
  return writer.take()
}

test('operations arrive as they were sent', () => {
  for (const operation of operations) {
    const reader = new HopReader(written((writer) => writeOperations(writer, [operation])))
    expect(readOperations(reader)).toEqual([operation])
    reader.end()
  }
})

test('a request has lookups, or one other operation: a thousand of those would keep a thread for seconds', () => {
  const lookups: PeerOperation[] = Array.from({ length: 3 }, () => ({
    type: 'get',
    key: bytes('a'),
    maxLag: undefined,
  }))
  for (const operation of operations) {
    const several = written((writer) => writeOperations(writer, [...lookups, operation]))
    expect(() => readOperations(new HopReader(several))).toThrow('not all lookups')
  }
})

test('results arrive as they were sent', () => {
  for (const result of results) {
    const reader = new HopReader(written((writer) => writeResult(writer, result)))
    const read = readResult(reader)
    expect(read).toEqual(result)
    reader.end()
  }
})

test('a result of several keys cannot stand for one of them', () => {
  const inner = { type: 'flush', operations: 1 } as unknown as typeof missed
  const reader = new HopReader(written((writer) => writeResult(writer, { type: 'many', epoch: 1, results: [inner] })))
  expect(() => readResult(reader)).toThrow('a result that is not known')
})

test.each([
  [
    'more keys than a client may ask for',
    { type: 'many', keys: Array.from({ length: 10_001 }, () => bytes('')), bytesMax: 1 },
  ],
  ['a bound that is not a number', { type: 'many', keys: [], bytesMax: Number.NaN }],
  ['a negative bound', { type: 'many', keys: [], bytesMax: -1 }],
  ['no entries at all', { type: 'chunk', position: { partition: 0, hash: 0 }, bounds: { limit: 0, withValues: true } }],
  [
    'a long mark',
    {
      type: 'chunk',
      position: { partition: 0, hash: 1, mark: 'm'.repeat(65) },
      bounds: { limit: 1, withValues: true },
    },
  ],
] satisfies [string, PeerOperation][])('an operation with %s is refused', (_, operation) => {
  const reader = new HopReader(written((writer) => writeOperations(writer, [operation])))
  expect(() => readOperations(reader)).toThrow(LatchkeyError)
})

test('bytes that are damaged or cut are refused, or are something else, and never more than is there', () => {
  const random = Random.of('damaged operations')
  const all = [
    ...operations.map((operation) => written((writer) => writeOperations(writer, [operation]))),
    ...results.map((result) => written((writer) => writeResult(writer, result))),
  ]
  for (let turn = 0; turn < 20_000; turn++) {
    const index = turn % all.length
    const damaged = all[index]!.slice(0, random.below(2) === 0 ? undefined : random.below(all[index]!.length))
    for (let times = random.below(4); times > 0 && damaged.length > 0; times--) {
      damaged[random.below(damaged.length)] = random.below(256)
    }
    const reader = new HopReader(damaged)
    try {
      if (index < operations.length) readOperations(reader)
      else readResult(reader)
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(LatchkeyError)
    }
  }
})
