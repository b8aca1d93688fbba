import { expect, test } from 'bun:test'
import { Results } from './results.ts'
import { tableOf } from './table.ts'

function sampled(): Results {
  const results = new Results()
  for (const ingest of [700_000, 650_000, 725_400]) results.add('Latchkey', { ingest })
  results.add('streex', { ingest: 14_000 })
  results.add('limit', { ingest: 3_340_000 })
  results.add('Latchkey', { idleP99: 1.844 })
  return results
}

test('the table has a row a metric, a column a contender, the limit, ratios of medians and what is wanted', () => {
  const rows = tableOf(sampled(), ['Latchkey', 'streex']).split('\n')
  const cells = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  expect(cells[0]).toEqual(['What', 'Latchkey', 'streex', 'limit', 'to streex', 'wanted'])
  expect(cells[2]).toEqual([
    'ingest, changelog acknowledged, records/s',
    '700,000 (650,000 to 725,000)',
    '14,000',
    '3,340,000',
    '50.00',
    '≥ 30 × streex, ≥ 2.5 × Kafka Streams',
  ])
  expect(cells[3]).toEqual(['lookups p99, ms', '1.84', '', '', '', ''])
  expect(rows).toHaveLength(4)
  expect(new Set(rows.map((row) => row.length)).size).toBe(1)
})

test('without Latchkey there are figures and no ratios', () => {
  const heads = tableOf(sampled(), ['streex']).split('\n')[0]!
  expect(heads).not.toContain('to streex')
  expect(heads).toContain('streex')
})

test('the table omits metrics that were not measured', () => {
  expect(tableOf(new Results(), ['Latchkey']).split('\n')).toHaveLength(2)
})
