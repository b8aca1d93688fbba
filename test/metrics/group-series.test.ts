import { expect, test } from 'bun:test'
import { type GroupFigures, rebalanceReasons } from '../../lib/group-protocol/group-figures.ts'
import { createMetrics, LookupStats, processFacts } from '../../lib/metrics/index.ts'
import { groupOf } from '../support/group/group-status.ts'
import { FakeStore } from '../support/http/fake-store.ts'
import { samplesIn } from '../support/metrics/samples.ts'

const noRebalances = Object.fromEntries(rebalanceReasons.map((reason) => [reason, 0])) as GroupFigures['rebalances']

test('a group is shown as this instance sees it', async () => {
  const store = new FakeStore()
  const lookups = new LookupStats()
  const metrics = createMetrics(store, lookups, processFacts('1.2.3'))
  const render = () => metrics.render()
  const names = ['members', 'excluded_members', 'unassigned_partitions', 'generation', 'lease_seconds']
  const groupSeries = (samples: Map<string, number>) => names.map((name) => samples.get(`latchkey_group_${name}`))
  expect(groupSeries(samplesIn(await render()))).toEqual([0, 0, 0, 0, 0])
  const members = [
    { isSelf: true },
    { url: 'http://b' },
    { url: 'http://c', isReachable: false },
    { isReachable: null },
  ]
  const excluded = [{ memberId: 'x', url: 'http://d', reason: 'PARTITIONER differs' }]
  store.state.group = groupOf({ members, excluded, unassigned: [3, 4] })
  store.state.details[1]!.role = 'replica'
  for (const result of ['found', 'found', 'not_found', 'unreachable'] as const) lookups.forwards.observe(result)
  lookups.forwards.hedged()
  const rebalances = { ...noRebalances, ready: 3, joined: 1 }
  store.state.group.figures = { rebalances, moves: 5 }
  store.stats.setGauge(1, 'strangers', 1)
  const samples = samplesIn(await render())
  expect(samples.get('latchkey_misplaced_keys')).toBe(1)
  expect(samples.get('latchkey_group_rebalances_total{reason="ready"}')).toBe(3)
  expect(samples.get('latchkey_group_rebalances_total{reason="removed"}')).toBe(0)
  expect(samples.get('latchkey_group_moves_total')).toBe(5)
  expect(groupSeries(samples)).toEqual([4, 1, 2, 7, 5.8])
  expect(Object.fromEntries([...samples].filter(([name]) => /peer_up|copies|forwarded|hedged/.test(name)))).toEqual({
    'latchkey_peer_up{peer="http://b"}': 1,
    'latchkey_peer_up{peer="http://c"}': 0,
    'latchkey_partition_copies{state="primary"}': 1,
    'latchkey_partition_copies{state="standby"}': 1,
    'latchkey_partition_copies{state="filling"}': 0,
    'latchkey_lookups_forwarded_total{result="found"}': 2,
    'latchkey_lookups_forwarded_total{result="not_found"}': 1,
    'latchkey_lookups_forwarded_total{result="refused"}': 0,
    'latchkey_lookups_forwarded_total{result="unreachable"}': 1,
    latchkey_lookups_hedged_total: 1,
  })
})
