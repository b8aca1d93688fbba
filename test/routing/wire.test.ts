import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { HopKey } from '../../lib/routing/hop.ts'
import type { PeerOperation, Result } from '../../lib/routing/operations.ts'
import { HopReader, HopWriter } from '../../lib/routing/wire-bytes.ts'
import { readOperations, readResult, writeOperations, writeResult } from '../../lib/routing/wire.ts'
import { Random } from '../support/random.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const lookup = { value: bytes('value'), partition: 3, offset: 2 ** 40, timestamp: -1 }

const results: Result[] = [
  { type: 'found', lookup },
  { type: 'found', lookup: { ...lookup, value: bytes(''), replicaLag: 0, headerBlock: bytes('\u0001') } },
  { type: 'found', lookup: { ...lookup, offset: -1, replicaLag: null } },
  { type: 'missed', caughtUp: true, isHalted: false, partition: 999 },
  { type: 'missed', caughtUp: false, isHalted: true, partition: 0, lag: null },
  { type: 'missed', caughtUp: true, isHalted: false, partition: 1, lag: 12 },
  { type: 'failed', error: new LatchkeyError('rebuilding', 'Reading: it is built', { details: { partition: 3 } }) },
  { type: 'reached', isReached: null, said: '' },
  { type: 'reached', isReached: false, said: 'the connection was refused' },
]

const operations: PeerOperation[] = [
  { type: 'get', key: bytes('key'), maxLag: undefined },
  { type: 'get', key: bytes(''), maxLag: 0 },
]

function written(all: readonly Result[]): Uint8Array {
  const writer = new HopWriter(16)
  for (const result of all) writeResult(writer, result)
  return writer.take().slice()
}

test('results and operations are read as they were written', () => {
  const reader = new HopReader(written(results))
  expect(results.map(() => readResult(reader))).toEqual(results)
  reader.end()
  const writer = new HopWriter(16)
  writeOperations(writer, operations)
  expect(readOperations(new HopReader(writer.take()))).toEqual(operations)
})

test('a value is not memory of the answer, which is freed with the values of others', () => {
  const answer = written([results[0]!])
  const result = readResult(new HopReader(answer))
  answer.fill(0)
  expect(result).toEqual(results[0]!)
})

test('an error code of a later version is an internal error', () => {
  const error = Object.assign(new LatchkeyError('internal', 'x'), { code: 'of_a_later_version' })
  expect(readResult(new HopReader(written([{ type: 'failed', error }])))).toMatchObject({ error: { code: 'internal' } })
})

test('what another instance says is a short line in an answer of this one', () => {
  const said = `a\u001B[31m\n${'x'.repeat(900)}`
  const error = new LatchkeyError('recovering', said, { details: { partition: 3, tried: [{ said }] } })
  const [failed, reached] = [{ type: 'failed', error } as const, { type: 'reached', isReached: false, said } as const]
  const reader = new HopReader(written([failed, reached]))
  const [first, second] = [readResult(reader), readResult(reader)]
  expect(first).toMatchObject({
    error: {
      message: `a?[31m?${'x'.repeat(493)}…`,
      details: { partition: 3, tried: [{ said: `a?[31m?${'x'.repeat(193)}…` }] },
    },
  })
  expect(second).toMatchObject({ said: `a?[31m?${'x'.repeat(193)}…` })
})

const key = new HopKey('orders', 'a token of the group')
const hop = { memberId: 'b', fromMemberId: 'a', generation: 7, partitionCount: 4 }

function request(from = key): Uint8Array<ArrayBuffer> {
  const writer = from.begin('read', hop)
  writeOperations(writer, operations)
  return from.seal(writer)
}

const answerOf = (sealed: Uint8Array, all: readonly Result[], by = key) => {
  const opened = by.open('read', sealed)
  const answer = { status: 'answered', memberId: 'b', instanceId: 'i', generation: 7, partitionCount: 4 } as const
  const writer = by.beginAnswer(answer)
  for (const result of all) writeResult(writer, result)
  return opened.seal(writer)
}

test('a request counts for its store, its path and its time', () => {
  const sealed = request()
  expect(key.open('read', sealed).hop).toEqual(hop)
  expect(() => key.open('probe', sealed)).toThrow('what it asks for is not what was signed')
  expect(() => new HopKey('others', 'a token of the group').open('read', sealed)).toThrow('another SERVER_TOKEN')
  expect(() => new HopKey('orders', 'b').open('read', sealed)).toThrow('another SERVER_TOKEN')
  expect(() => key.open('read', request(new HopKey('orders', undefined)))).toThrow('it is not signed')
  const now = Date.now
  try {
    Date.now = () => now() + 31_000
    expect(() => key.open('read', sealed)).toThrow('Set the clocks')
  } finally {
    Date.now = now
  }
})

test('an answer counts for its request only', () => {
  const sealed = request()
  const answer = answerOf(sealed, results)
  expect(key.openAnswer(answer, sealed).answer).toMatchObject({ memberId: 'b', instanceId: 'i' })
  const other = key.begin('read', { ...hop, generation: 8 })
  writeOperations(other, operations)
  const otherSealed = key.seal(other)
  expect(() => key.openAnswer(answer, otherSealed)).toThrow('another SERVER_TOKEN')
})

test('the token is in neither, and both are refused when one bit differs', () => {
  const sealed = request()
  const answer = answerOf(sealed, results)
  expect(Buffer.concat([sealed, answer]).toString('latin1')).not.toContain('a token')
  for (const [original, open] of [
    [sealed, (changed: Uint8Array) => key.open('read', changed)],
    [answer, (changed: Uint8Array) => key.openAnswer(changed, sealed)],
  ] as const) {
    for (let bit = 0; bit < original.length * 8; bit += 7) {
      const changed = original.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => open(changed)).toThrow(LatchkeyError)
    }
  }
})

test('any bytes are read, or refused as malformed, with memory in proportion to them', () => {
  const random = Random.of('wire')
  const answer = written(results)
  for (let round = 0; round < 3_000; round++) {
    const changed = answer.slice(0, random.below(answer.length + 1))
    for (let change = 0; change < 3 && changed.length > 0; change++) {
      changed[random.below(changed.length)] = random.below(256)
    }
    const reader = new HopReader(changed)
    try {
      while (reader.left > 0) readResult(reader)
      readOperations(new HopReader(changed))
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: 'malformed_request' })
    }
  }
})
