import { beforeEach, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import * as v from 'valibot'
import { defineStore, skip } from '../../../lib/definition/index.ts'
import { LatchkeyError } from '../../../lib/errors.ts'
import { type Codec, SchemaPending, simpleCodecs } from '../../../lib/format/index.ts'
import { throwing, unreadable } from '../../support/definition/unreadable.ts'
import { count, counting, setup } from '../../support/store-thread/conversion-setup.ts'
import { captureLog, counted } from '../../support/store-thread/stand-ins.ts'

const { utf8, json, int32 } = simpleCodecs

let lines: string[]
beforeEach(() => {
  lines = captureLog()
})

test('a record is stored as convert returns it, with its own offset and timestamp', () => {
  const { take } = setup({ convert: ({ id, big }) => ({ id, size: big.length }) })
  expect(take(count('a', { id: 1, big: 'xxxx' }), count('b', { id: 2, big: '' }))).toEqual([
    { key: 'a', value: '{"id":1,"size":4}', src: 0, timestamp: 1_700_000_000_000 },
    { key: 'b', value: '{"id":2,"size":0}', src: 1, timestamp: 1_700_000_000_000 },
  ])
})

test('convert gets the record, and its decoded key', () => {
  const seen: unknown[] = []
  const { take } = setup({ key: utf8, convert: (_, record) => seen.push(record) })
  take(count('a', 1), count('ö', 2))
  const place = { topic: 'orders', partition: 0, timestamp: 1_700_000_000_000 }
  expect(seen).toEqual([
    { key: 'a', ...place, offset: 0 },
    { key: 'ö', ...place, offset: 1 },
  ])
})

test('null from convert deletes; a tombstone deletes without convert', () => {
  const { written } = setup({ convert: (value) => (value === 0 ? null : value) })
  expect(written(count('a', 1), count('b', 0), { key: 'c', value: null })).toEqual(['a=1', 'b=null', 'c=null'])
})

test('skip leaves only its own counter, and the partition is done with the record', () => {
  const { written, stats, state } = setup({ convert: (value) => (value === 0 ? skip : value) })
  expect(written(count('a', 0), count('b', 0))).toEqual([])
  expect(counted(stats)).toMatchObject({ recordsConsumed: 2, leftOut: 2 })
  state.advance()
  expect(state).toMatchObject({ consumed: 2, acknowledged: 2 })
  expect(lines).toEqual([])
})

test('valid bytes pass unchanged when nothing is converted', () => {
  const { written } = setup({ key: utf8, keepsBytes: true })
  expect(written({ key: 'a', value: '{ "b": 1,  "a": 2 }' })).toEqual(['a={ "b": 1,  "a": 2 }'])
})

test('the input is the value, in the format of the store, where there is no convert', () => {
  const { written } = setup({ input: json, value: json })
  expect(written({ key: 'a', value: '{ "b": 1,  "a": 2 }' })).toEqual(['a={"a":2,"b":1}'])
})

test('a record that does not decode is a bad record, counted by key and value, and logged', () => {
  const { written, stats } = setup({ key: int32, keepsBytes: true })
  const four = Buffer.from([0, 0, 0, 65])
  expect(written({ key: 'abc', value: '1' }, { key: four, value: '{' }, { key: four, value: '2' })).toEqual([
    '\0\0\0A=2',
  ])
  expect(counted(stats)).toMatchObject({ skippedInvalidKey: 1, skippedInvalidValue: 1, recordsConsumed: 3 })
  expect(lines[0]).toStartWith(
    'warning orders partition 0 offset 0: record skipped, its key does not decode as int32: ',
  )
  expect(lines[1]).toStartWith(
    'warning orders partition 0 offset 1: record skipped, its value does not decode as json: ',
  )
})

test('a record that does not match the schema is a bad record, and the log says so', () => {
  const { input } = defineStore({ key: 'utf8', input: v.object({ a: v.picklist(['x', 'y']) }) })
  const { written } = setup({ key: utf8, input })
  expect(written({ key: 'a', value: '{"a":"secret"}' })).toEqual([])
  expect(lines).toEqual([
    'warning orders partition 0 offset 0: record skipped, its value does not match the schema: a: expected ("x" | "y"), found another value (string)',
  ])
})

test('an exception of a module, a promise, and a value that cannot be encoded make bad records', () => {
  const results = [
    () => {
      throw new Error('no customer')
    },
    () => Promise.reject(new Error('late')),
    () => undefined,
    () => 1n,
    () => 'fine',
  ]
  const { written, stats } = setup({ convert: (index) => results[index]!() as never, module: 'file:///orders.ts' })
  expect(written(...results.map((_, index) => count('a', index)))).toEqual(['a="fine"'])
  expect(stats.count('skippedConversion')).toBe(4)
  expect(lines[0]).toContain('offset 0: record skipped, convert failed: ')
  expect(lines[0]).toContain('no customer')
})

test('a value that cannot be converted between formats is a bad record, with and without a module', () => {
  const convert = () => {
    throw new Error('it must be a string')
  }
  const { written } = setup({ convert })
  expect(written(count('a', 1))).toEqual([])
  expect(lines.at(-1)).toContain('record skipped, its value does not go from json to json: it must be a string')
})

test('a partition halts before a bad record if configured', () => {
  const { written, state, stats } = setup({ keepsBytes: true }, { onBadRecord: 'stop' })
  expect(written(count('a', 1), { key: 'b', value: '{' }, count('c', 2))).toEqual(['a=1'])
  expect(state).toMatchObject({ consumed: 1, reading: { halted: { offset: 1 } } })
  expect(stats.count('recordsConsumed')).toBe(1)
})

test('a value that grows beyond the limit of the changelog is a too large record, and callbacks do not see it', () => {
  const seen: unknown[] = []
  const noise = randomBytes(2_000).toString('base64') // compression does not help it below the limit
  const convert = (value: number) => noise.slice(0, value)
  const onNew = (_: unknown, value: string) => void seen.push(value.length)
  const onUpdate = (_: unknown, old: string, value: string) => void seen.push([old.length, value.length])
  const { written, stats } = setup({ convert, onNew, onUpdate }, { maxMessageBytes: 1_000 })
  expect(written(count('a', 2), count('a', 2_000), count('a', 3))).toEqual([
    `a="${noise.slice(0, 2)}"`,
    `a="${noise.slice(0, 3)}"`,
  ])
  expect(stats.count('skippedTooLarge')).toBe(1)
  expect(seen).toEqual([2, [2, 2_000], [2, 3]])
})

test('large values grow the buffer that they are built in', () => {
  const { take } = setup({ convert: (value: number) => 'x'.repeat(value) })
  expect(take(count('a', 200_000), count('b', 3)).map(({ value }) => value!.length)).toEqual([200_002, 5])
})

test('a partition waits at a record whose schema is missing, and continues from that record', async () => {
  const schemas = new Set<number>()
  const ready = Promise.withResolvers<void>()
  const input: Codec = {
    ...json,
    decode(bytes) {
      if (bytes.length === 4 && !schemas.has(7)) throw new SchemaPending('schema 7', ready.promise)
      return json.decode(bytes)
    },
  }
  const { written, state, stats } = setup({ ...counting, input })
  const records = [count('a', 1), count('a', 2), count('a', true), count('a', 3)]
  const before = ['a={"count":1,"value":1}', 'a={"count":2,"value":2}']
  expect(written(...records)).toEqual(before)
  expect(state).toMatchObject({ consumed: 2, reading: { waiting: ready.promise } })
  expect(lines).toEqual(['info orders partition 0 offset 2: waiting, schema 7 is being fetched'])
  schemas.add(7)
  expect(written(...records)).toEqual([...before, 'a={"count":3,"value":true}', 'a={"count":4,"value":3}'])
  expect(counted(stats)).toMatchObject({ recordsConsumed: 4 })
})

test('a registry that cannot be reached makes no bad record', () => {
  const decode = (): never => {
    throw new LatchkeyError('schema_unavailable', 'Fetching schema 7: connection refused')
  }
  const { written, state, stats } = setup({ input: { ...json, decode } })
  expect(written(count('a', 1))).toEqual([])
  expect(state).toMatchObject({ consumed: 0, reading: { waiting: expect.any(Promise) } })
  expect(counted(stats)).toEqual({})
})

test.each(Object.entries(unreadable))('a record is bad like any other when convert throws %s', (_, value) => {
  const fails = throwing(value)
  const { written, stats } = setup({ convert: (input) => (input === 0 ? fails() : input), module: import.meta.url })
  expect(written(count('a', 0), count('b', 1))).toEqual(['b=1'])
  expect(counted(stats)).toMatchObject({ skippedConversion: 1, recordsConsumed: 2 })
  expect(lines[0]).toStartWith('warning orders partition 0 offset 0: record skipped, convert failed: ')
})
