import { expect, test } from 'bun:test'
import { RateHistory } from '../../../lib/http/status-events/rate-history.ts'
import { LookupStats, RespStats } from '../../../lib/metrics/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'

function setUp() {
  const state = { stats: new Stats([0]) }
  // Lookups of two threads.
  const buffers = [LookupStats.buffer(), LookupStats.buffer()]
  const threads = buffers.map((_, own) => new LookupStats(buffers, own))
  const resp = new RespStats(['get'])
  const history = new RateHistory({ stats: () => state.stats, lookups: threads[0]!, resp })
  return { state, threads, resp, history }
}

const idle = { recordsIn: 0, changelogWrites: 0, lookups: 0, p99Ms: null }

test('rates are zero before the second sample', () => {
  const { history } = setUp()
  expect([history.last, history.samples]).toEqual([idle, []])
  history.sample(1_000)
  expect([history.last, history.samples]).toEqual([idle, []])
})

test('rates are what was counted since the sample before, in all threads, by the second', () => {
  const { state, threads, resp, history } = setUp()
  state.stats.add('recordsConsumed', 500)
  history.sample(1_000)
  state.stats.add('recordsConsumed', 40)
  state.stats.add('recordsRecovered', 60)
  state.stats.add('changelogRecords', 30)
  threads[0]!.observe('found', 0.000_01)
  threads[1]!.observe('not_found', 0.000_01)
  threads[1]!.observeKey('found')
  resp.lookup('found')
  history.sample(3_000)
  expect(history.last).toEqual({ recordsIn: 50, changelogWrites: 15, lookups: 2, p99Ms: expect.any(Number) })
  history.sample(4_000)
  expect(history.last).toEqual(idle)
})

test('the percentile is of the last second alone, and within the bounds of its bucket', () => {
  const { threads, history } = setUp()
  for (let lookup = 0; lookup < 100; lookup++) threads[0]!.observe('found', 0.9)
  history.sample(0)
  for (let lookup = 0; lookup < 98; lookup++) threads[0]!.observe('found', 0.000_02)
  for (let lookup = 0; lookup < 2; lookup++) threads[1]!.observe('found', 0.007)
  history.sample(1_000)
  expect(history.last.p99Ms).toBe(7.5)
  for (let lookup = 0; lookup < 10; lookup++) threads[1]!.observe('found', 60)
  history.sample(2_000)
  expect(history.last.p99Ms).toBe(1_000)
})

test('two minutes are kept', () => {
  const { state, history } = setUp()
  for (let second = 0; second <= 200; second++) {
    state.stats.add('recordsConsumed', second)
    history.sample(second * 1_000)
  }
  expect(history.samples.map(({ recordsIn }) => recordsIn)).toEqual(Array.from({ length: 120 }, (_, at) => at + 81))
})

test('no rate is negative when the counters are replaced', () => {
  const { state, history } = setUp()
  state.stats.add('recordsConsumed', 500)
  history.sample(0)
  state.stats = new Stats([0, 1])
  history.sample(1_000)
  expect(history.last).toEqual(idle)
})
