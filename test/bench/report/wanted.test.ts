import { expect, test } from 'bun:test'
import { Results } from './results.ts'
import { misses, textOfMiss, wanted } from './wanted.ts'

function resultsOf(metric: 'ingest' | 'memory', figures: Record<string, number[]>): Results {
  const results = new Results()
  for (const [contender, values] of Object.entries(figures)) {
    for (const value of values) results.add(contender, { [metric]: value })
  }
  return results
}

test('a ratio of medians that is reached is no miss, and one that is not is reported with the wanted ratio', () => {
  const reached = resultsOf('ingest', { Latchkey: [10, 300, 310], streex: [10, 10, 900], 'Kafka Streams': [120] })
  expect(misses(reached)).toEqual([])
  const missed = resultsOf('ingest', { Latchkey: [299], streex: [10], 'Kafka Streams': [119] })
  expect(misses(missed).map(textOfMiss)).toEqual([
    'missed: ingest, changelog acknowledged: 29.90 ×, wanted ≥ 30 × streex',
  ])
})

test('a ratio that must not be passed is a miss above its bound', () => {
  expect(misses(resultsOf('memory', { Latchkey: [60], streex: [100] }))).toEqual([])
  expect(misses(resultsOf('memory', { Latchkey: [61], streex: [100] })).map(textOfMiss)).toEqual([
    'missed: resident memory: 0.61 ×, wanted ≤ 0.6 × streex',
  ])
})

test('a bound on a single figure is compared with the median alone', () => {
  const results = new Results()
  for (const growthPause of [1, 50, 2]) results.add('Latchkey', { growthPause })
  expect(misses(results)).toEqual([])
  for (const growthPause of [50, 51]) results.add('Latchkey', { growthPause })
  expect(misses(results).map(textOfMiss)).toEqual([
    'missed: longest pause of lookups while tables grow: 50.0, wanted ≤ 20 ms',
  ])
})

test('a figure that was not measured, of Latchkey or of an omitted peer, is no miss', () => {
  expect(misses(new Results())).toEqual([])
  expect(misses(resultsOf('ingest', { Latchkey: [1] }))).toEqual([])
  expect(misses(resultsOf('ingest', { streex: [1] }))).toEqual([])
})

test('NaN is a miss', () => {
  expect(misses(resultsOf('memory', { Latchkey: [Number.NaN], streex: [100] }))).toHaveLength(1)
})

test('each wanted ratio has a bound', () => {
  expect(wanted.filter(({ atLeast, atMost }) => (atLeast === undefined) === (atMost === undefined))).toEqual([])
})
