import { beforeEach, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { LatchkeyError } from '../../../lib/errors.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { backlogBytesMax } from '../../../lib/store-thread/ingest/backlog.ts'
import { BadRecords } from '../../../lib/store-thread/ingest/bad-records.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import type { BadRecord } from '../../../lib/store-thread/ingest/dead-letter-batch.ts'
import type { Fault } from '../../../lib/store-thread/ingest/dead-letter-headers.ts'
import type { DeadLetters } from '../../../lib/store-thread/ingest/dead-letters.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { SourceDecoder } from '../../../lib/store-thread/ingest/source-decoder.ts'
import { rawBatch, type RawRecord, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { captureLog, contentOf, counted, fetched } from '../../support/store-thread/stand-ins.ts'

const limits = { maxMessageBytes: 1_000, timestampBeforeMaxMs: 9e18, timestampAfterMaxMs: 9e18, keepsTimestamps: true }

let lines: string[]
beforeEach(() => {
  lines = captureLog()
})

/** Key, value and headers of what a letter is written about. */
interface Written extends Fault {
  key: string | null
  value: Buffer | null
  headers: number
}

function setup(onBadRecord: 'stop' | 'dead-letter') {
  const stats = new Stats([0])
  const written: Written[] = []
  const append = (_: PartitionIngest, found: BadRecord, fault: Fault) => {
    const { data, keyStart, keyLength, valueStart, valueLength, headerCount } = found
    const key = keyLength < 0 ? null : data.toString('latin1', keyStart, keyStart + keyLength)
    const value = valueLength < 0 ? null : Buffer.from(data.subarray(valueStart, valueStart + valueLength))
    written.push({ ...fault, key, value, headers: headerCount })
  }
  const deadLetters = onBadRecord === 'stop' ? undefined : ({ append } as unknown as DeadLetters)
  const bad = new BadRecords({ sourceTopic: 'orders', onBadRecord, deadLetterTopic: 'bad' }, stats, deadLetters)
  const pool = new BatchPool(1 << 20, 4)
  const decoder = new SourceDecoder('orders', stats, limits, pool, bad)
  return { stats, decoder, state: new PartitionIngest(0, 0, pool), written }
}

function batch(at: number, ...records: RawRecord[]): Buffer {
  return rawBatch({
    baseOffset: BigInt(at),
    records: records.map((record, offsetDelta) => rawRecord({ offsetDelta, ...record })),
  })
}

function faultOf(decode: () => unknown): LatchkeyError {
  try {
    decode()
  } catch (error) {
    if (error instanceof LatchkeyError) return error
  }
  throw new Error('it can be read')
}

const incompressible = randomBytes(2000)

const faulty: [string, RawRecord, string][] = [
  ['has no key', { key: null }, 'it has no key'],
  ['is undecodable', { headerCount: -1 }, 'its header count is -1'],
  ['is too large', { value: incompressible }, 'with key and value of 2003 bytes'],
]

test.each(faulty)('with stop nothing is consumed from a record that %s', (_, record, fault) => {
  const { decoder, state, stats } = setup('stop')
  const bytes = Buffer.concat([batch(0, { key: 'a' }, record, { key: 'c' }), batch(3, { key: 'd' })])
  expect(decoder.decode(fetched(bytes), state)).toBeUndefined()
  expect(state).toMatchObject({
    consumed: 1,
    reading: { halted: { offset: 1, fault: expect.stringContaining(fault) } },
  })
  expect(contentOf(state.queue.batches[0]!).map(({ key }) => key)).toEqual(['a'])
  expect(counted(stats)).toEqual({ recordsConsumed: 1 })
  expect(lines).toEqual([])
})

test('with stop nothing is consumed from a permanently damaged batch', () => {
  const { decoder, state } = setup('stop')
  const damaged = batch(1, { key: 'b' })
  damaged.writeUInt8(damaged.at(-1)! ^ 1, damaged.length - 1)
  const bytes = Buffer.concat([batch(0, { key: 'a' }), damaged])
  expect(
    decoder.skipDamaged(
      state,
      faultOf(() => decoder.decode(fetched(bytes), state)),
      10,
    ),
  ).toBeUndefined()
  expect(state).toMatchObject({
    consumed: 1,
    reading: { halted: { offset: 1, fault: expect.stringContaining('CRC32C') } },
  })
})

test('with dead-letter each record that cannot be stored becomes a dead letter', () => {
  const { decoder, state, stats, written } = setup('dead-letter')
  const headers = [['h', null]] as const
  const good = { key: 'c', value: 'c' }
  const bytes = batch(0, { key: null, value: 'a', headers }, { value: incompressible }, good)
  decoder.decode(fetched(bytes), state)
  const place = { topic: 'orders', partition: 0 }
  expect(written).toEqual([
    {
      ...place,
      offset: 0,
      reason: 'skippedNullKey',
      message: 'it has no key',
      key: null,
      value: Buffer.from('a'),
      headers: 1,
    },
    {
      ...place,
      offset: 1,
      reason: 'skippedTooLarge',
      message: expect.stringContaining('exceeds'),
      key: 'key',
      value: incompressible,
      headers: 0,
    },
  ])
  expect(contentOf(state.queue.batches[0]!).map(({ key }) => key)).toEqual(['c'])
  expect(state).toMatchObject({ consumed: 3, reading: { halted: undefined } })
  expect(stats.count('skippedNullKey')).toBe(1)
  expect(lines[0]).toBe('warning orders partition 0 offset 0: record written to bad, it has no key')
})

test('with dead-letter a record that cannot be decoded is in the dead letter as it is in its batch', () => {
  const { decoder, state, written } = setup('dead-letter')
  const raw = rawRecord({ offsetDelta: 0, headerCount: -1 })
  decoder.decode(fetched(rawBatch({ records: [raw] })), state)
  expect(written).toMatchObject([{ offset: 0, raw: 'record', key: null, value: raw.subarray(1), headers: 0 }])
})

test('with dead-letter a damaged batch is in the dead letter as it is in the log', () => {
  const { decoder, state, written } = setup('dead-letter')
  const damaged = batch(0, { key: 'a' }, { key: 'b' })
  damaged.writeUInt8(damaged.at(-1)! ^ 1, damaged.length - 1)
  decoder.skipDamaged(
    state,
    faultOf(() => decoder.decode(fetched(damaged), state)),
    10,
  )
  expect(written).toMatchObject([{ offset: 0, reason: 'skippedCorruptBatch', raw: 'batch', key: null, value: damaged }])
  expect(written[0]!.message).toStartWith('offsets 0 to 1: ')
  expect(state.consumed).toBe(2)
})

test('with dead-letter records are consumed until their dead letters fill the room, and later from there', () => {
  const { decoder, state, written } = setup('dead-letter')
  const bytes = batch(0, { key: 'a' }, { key: null }, { key: 'c' }, { key: 'd' })
  state.deadLetters.add(backlogBytesMax)
  expect(decoder.decode(fetched(bytes), state)).toBe(1)
  expect(decoder.decode(fetched(bytes), state)).toBe(2)
  state.deadLetters.remove(backlogBytesMax)
  expect(decoder.decode(fetched(bytes), state)).toBeUndefined()
  expect(state.consumed).toBe(4)
  expect(contentOf(state.queue.batches[0]!).map(({ key }) => key)).toEqual(['a', 'c', 'd'])
  expect(written).toHaveLength(1)
})
