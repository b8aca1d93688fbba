import { beforeEach, expect, test } from 'bun:test'
import { simpleCodecs } from '../../../lib/format/index.ts'
import { count, counting, setup } from '../../support/store-thread/conversion-setup.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'

const { utf8 } = simpleCodecs

let lines: string[]
beforeEach(() => {
  lines = captureLog()
})

test('callbacks get the key’s previous value, pending or in memory, and change the new value', () => {
  const { written } = setup(counting, { memory: { m: '{"count":7}' } })
  expect(written(count('a', 'x'), count('a', 'y'), count('m', 'z'), count('m', 'zz'))).toEqual([
    'a={"count":1,"value":"x"}',
    'a={"count":2,"value":"y"}',
    'm={"count":8,"value":"z"}',
    'm={"count":9,"value":"zz"}',
  ])
})

test('a deleted key is new, and onDelete gets its last value', () => {
  const deleted: unknown[] = []
  const onDelete = (key: unknown, old: unknown) => void deleted.push([key, old])
  const convert = (value: unknown) => (value === 0 ? null : { value })
  const { written } = setup({ ...counting, key: utf8, convert, onDelete }, { memory: { m: '{"count":7}' } })
  const records = [count('a', 1), { key: 'a', value: null }, count('a', 2), count('m', 0), count('m', 3)]
  expect(written(...records, { key: 'never', value: null })).toEqual([
    'a={"count":1,"value":1}',
    'a=null',
    'a={"count":1,"value":2}',
    'm=null',
    'm={"count":1,"value":3}',
    'never=null',
  ])
  expect(deleted).toEqual([
    ['a', { value: 1, count: 1 }],
    ['m', { count: 7 }],
  ])
})

test('a record whose callback throws is a bad record, and the next one gets the value before it', () => {
  const onUpdate = (_: unknown, old: { count: number }, value: { value: unknown; count: number }) => {
    if (value.value === 'bad') throw new Error('refused')
    value.count = old.count + 1
  }
  const { written, stats } = setup({ ...counting, onUpdate })
  expect(written(count('a', 1), count('a', 'bad'), count('a', 2))).toEqual([
    'a={"count":1,"value":1}',
    'a={"count":2,"value":2}',
  ])
  expect(stats.count('skippedConversion')).toBe(1)
  expect(lines[0]).toContain('record skipped, onUpdate failed: ')
})

test('an old value that does not decode is reported as one of another format', () => {
  const { written, stats } = setup(counting, { memory: { m: 'plain text' } })
  expect(written(count('m', 1))).toEqual([])
  expect(stats.count('skippedConversion')).toBe(1)
  expect(lines[0]).toContain('the value stored before it does not decode as json')
})

test('callbacks do not run when nothing is held in memory', () => {
  const { written, state } = setup(counting, { isProcessingOnly: true })
  expect(written(count('a', 1), count('a', 2))).toEqual(['a={"value":1}', 'a={"value":2}'])
  expect(state.pendingValues).toBeUndefined()
})
