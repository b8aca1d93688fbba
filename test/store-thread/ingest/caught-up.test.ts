import { expect, test } from 'bun:test'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { logCaughtUp } from '../../../lib/store-thread/ingest/caught-up.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'

type Config = Parameters<typeof logCaughtUp>[0]
const config = { sourceTopic: 'orders' } as Config

function linesFor(counts: Partial<Record<Parameters<Stats['add']>[0], number>>, more: Partial<Config> = {}): string[] {
  const lines = captureLog()
  const stats = new Stats([0])
  for (const [name, count] of Object.entries(counts)) stats.add(name as Parameters<Stats['add']>[0], count)
  logCaughtUp({ ...config, ...more }, stats)
  return lines
}

const skipped = 'info Caught up with orders as it was at start; '

test('the line names no skipped records when there are none', () => {
  expect(linesFor({ recordsConsumed: 7 })).toEqual(['info Caught up with orders as it was at start'])
})

test('a store that was not behind at its start says so', () => {
  expect(linesFor({ recordsRecovered: 7 })).toEqual(['info Caught up with orders: it has nothing new'])
})

test('an instance of a group that takes over what it had as a copy does not say that it has caught up', () => {
  expect(linesFor({ recordsRecovered: 7 }, { elastic: {} })).toEqual([])
  expect(linesFor({ recordsConsumed: 7 }, { elastic: {} })).toEqual([
    'info Caught up with orders as it was when this instance took its partitions',
  ])
})

test('the line says how many of the records read since this start could not be stored, by reason', () => {
  expect(linesFor({ recordsConsumed: 9, skippedConversion: 3, skippedNullKey: 1 })).toEqual([
    `${skipped}of the 9 records read since this start, 4 could not be stored: null_key 1, conversion 3`,
  ])
})

test('a warning gives advice when more than half could not be stored at a first start', () => {
  const all = { recordsConsumed: 100, skippedInvalidValue: 100 }
  expect(linesFor(all)).toEqual([
    `${skipped}of the 100 records read since this start, 100 could not be stored: invalid_value 100`,
    expect.stringMatching(/^warning Reading orders: more than half .* 100 of 100 .*start once with --rebuild$/),
  ])
  expect(linesFor({ ...all, skippedInvalidValue: 50 })).toHaveLength(1)
  expect(linesFor({ ...all, recordsRecovered: 1 })).toHaveLength(1)
})
