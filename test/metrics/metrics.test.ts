import { describe, expect, test } from 'bun:test'
import { createMetrics, LookupStats, processFacts, RespStats } from '../../lib/metrics/index.ts'
import { latencyBounds } from '../../lib/metrics/lookup-stats.ts'
import { documents } from '../../lib/print/index.ts'
import { commandLabels } from '../../lib/resp/index.ts'
import { snapshotRefusals } from '../../lib/store-protocol/snapshot-refusal.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { conditionNames } from '../../lib/store-protocol/status.ts'
import { FakeStore } from '../support/http/fake-store.ts'
import { samplesIn } from '../support/metrics/samples.ts'

const facts = processFacts('1.2.3')

function setUp() {
  const store = new FakeStore()
  const lookups = new LookupStats()
  const metrics = createMetrics(store, lookups, facts)
  return { store, lookups, render: () => metrics.render() }
}

/** Names that a text has, without the suffixes of histograms. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/latchkey_\w+/g))].map((name) => name.replace(/_(bucket|sum|count)$/, ''))
}

describe('createMetrics', () => {
  test.each(['alerts', 'dashboard'] as const)(
    'the %s that the executable prints have only series that exist',
    async (name) => {
      const known: string[] = (await setUp().render()).match(/(?<=^# HELP )\S+/gm) ?? []
      const used = namesIn(documents[name])
      expect(used.length).toBeGreaterThan(5)
      expect(used.filter((one) => !known.includes(one))).toEqual([])
    },
  )

  test('every counter is there at zero when nothing has happened', async () => {
    const samples = samplesIn(await setUp().render())
    const zeros = [
      'latchkey_records_consumed_total',
      'latchkey_records_skipped_total{reason="null_key"}',
      'latchkey_records_skipped_total{reason="undecodable"}',
      'latchkey_records_skipped_total{reason="corrupt_batch"}',
      'latchkey_records_skipped_total{reason="too_large"}',
      'latchkey_aborted_records_total',
      'latchkey_control_batches_total',
      'latchkey_changelog_records_total',
      'latchkey_changelog_bytes_total',
      'latchkey_changelog_failures_total',
      'latchkey_flushes_total',
      'latchkey_flush_seconds_total',
      'latchkey_oplog_length',
      'latchkey_lookups_total{outcome="found"}',
      'latchkey_lookups_total{outcome="not_found"}',
      'latchkey_lookups_total{outcome="readers_exhausted"}',
      'latchkey_lookup_seconds_count',
      'latchkey_lookup_seconds_bucket{le="0.00005"}',
      'latchkey_lookup_seconds_bucket{le="+Inf"}',
      'latchkey_readers_in_use',
      'latchkey_readers_waiting',
      'latchkey_partition_entries{partition="0"}',
      'latchkey_partition_live_bytes{partition="1"}',
      'latchkey_partition_dead_bytes{partition="1"}',
      'latchkey_partition_recovery_ratio{partition="0"}',
    ]
    for (const series of zeros) expect([series, samples.get(series)]).toEqual([series, 0])
    expect(samples.get('latchkey_readers')).toBe(1000)
    expect(samples.get(`latchkey_build_info{version="1.2.3",bun="${Bun.version}"}`)).toBe(1)
    expect(samples.get('latchkey_process_resident_memory_bytes')).toBeGreaterThan(1e6)
  })

  test('every series is there before anything has happened, but for offsets that are not known', async () => {
    const text = await createMetrics(new FakeStore(), new LookupStats(), facts, new RespStats(commandLabels)).render()
    const samples = [...samplesIn(text).keys()]
    const families = text.match(/(?<=^# HELP )\S+/gm) ?? []
    const names = new Set(samples.map((sample) => /^\w+/.exec(sample)![0].replace(/_(bucket|sum|count)$/, '')))
    const empty = families.filter((family) => !names.has(family))
    expect(empty.toSorted()).toEqual([
      'latchkey_partition_end_offset',
      'latchkey_partition_lag',
      'latchkey_partition_position',
      'latchkey_peer_up',
    ])
    for (const name of conditionNames) expect(samples).toContain(`latchkey_condition{name="${name}"}`)
  })

  test('the figures of the store are current at each scrape', async () => {
    const { store, render } = setUp()
    await render()
    store.stats.add('recordsConsumed', 5)
    store.stats.add('skippedTooLarge', 2)
    store.stats.add('flushSeconds', 0.25)
    store.stats.set('oplogLength', 7)
    const gauges = { position: 10, end: 14, committed: 0, entries: 3, liveBytes: 30, totalBytes: 50 } as const
    for (const [name, value] of Object.entries(gauges)) store.stats.setGauge(1, name as keyof typeof gauges, value)
    store.stats.setGauge(1, 'recoveryStart', 100)
    store.stats.setGauge(1, 'recoveryPosition', 150)
    store.stats.setGauge(1, 'recoveryEnd', 300)
    store.readers = { size: 4, inUse: 3, waiting: 2 }
    const samples = samplesIn(await render())
    expect(Object.fromEntries(samples)).toMatchObject({
      latchkey_records_consumed_total: 5,
      'latchkey_records_skipped_total{reason="too_large"}': 2,
      latchkey_flush_seconds_total: 0.25,
      latchkey_oplog_length: 7,
      latchkey_readers_in_use: 3,
      'latchkey_partition_position{partition="1"}': 10,
      'latchkey_partition_end_offset{partition="1"}': 14,
      'latchkey_partition_committed_offset{partition="1"}': 0,
      'latchkey_partition_lag{partition="1"}': 4,
      'latchkey_partition_entries{partition="1"}': 3,
      'latchkey_partition_live_bytes{partition="1"}': 30,
      'latchkey_partition_dead_bytes{partition="1"}': 20,
      'latchkey_partition_recovery_ratio{partition="1"}': 0.25,
    })
    expect(samples.has('latchkey_partition_position{partition="0"}')).toBeFalse()
    expect(samples.has('latchkey_partition_lag{partition="0"}')).toBeFalse()
  })

  test('a partition counts as recovered when its changelog is empty', async () => {
    const { store, render } = setUp()
    for (const name of ['recoveryStart', 'recoveryPosition', 'recoveryEnd'] as const) store.stats.setGauge(0, name, 0)
    expect(samplesIn(await render()).get('latchkey_partition_recovery_ratio{partition="0"}')).toBe(1)
  })

  test('a partition with snapshots has their figures, and others have zeros', async () => {
    const { store, render } = setUp()
    const { stats } = store
    stats.setGauge(1, 'snapshotRefusal', snapshotRefusals.indexOf('damaged'))
    stats.setGauge(1, 'snapshotPosition', 70)
    stats.setGauge(1, 'snapshotTakenAt', Date.now() - 60_000)
    stats.setGauge(1, 'snapshotBytes', 900)
    stats.setGauge(1, 'snapshotSeconds', 0.5)
    stats.add('snapshotFailures', 2)
    const samples = samplesIn(await render())
    expect(Object.fromEntries(samples)).toMatchObject({
      latchkey_snapshots_total: 0,
      latchkey_snapshot_failures_total: 2,
      'latchkey_partition_snapshot_position{partition="1"}': 70,
      'latchkey_partition_snapshot_bytes{partition="1"}': 900,
      'latchkey_partition_snapshot_seconds{partition="1"}': 0.5,
      'latchkey_partition_snapshot_start{partition="1",reason="damaged"}': 1,
    })
    expect(samples.get('latchkey_partition_snapshot_age_seconds{partition="1"}')).toBeGreaterThanOrEqual(60)
    const others = [...samples].filter(([name]) => /snapshot.*partition="0"/.test(name))
    expect(others.map(([, value]) => value)).toEqual([0, 0, 0, 0, 0])
  })

  test('a partition with a broker problem is named, with the broker and the start time', async () => {
    const { store, render } = setUp()
    const series = 'latchkey_partition_trouble_since_seconds{partition="1",client="changelog producer",broker="b:1"}'
    const none = 'latchkey_partition_trouble_since_seconds{partition="1"}'
    const before = samplesIn(await render())
    expect([before.has(series), before.get(none)]).toEqual([false, 0])
    const trouble = { partition: 1, client: 'changelog producer', broker: 'b:1', message: 'refused' }
    store.state.details[1]!.troubles = [{ ...trouble, since: '2026-11-29T22:10:00.000Z' }]
    const after = samplesIn(await render())
    expect([after.get(series), after.has(none)]).toEqual([Date.UTC(2026, 10, 29, 22, 10) / 1000, false])
  })

  test('exactly one state is 1 when the store is in it', async () => {
    const { store, render } = setUp()
    store.state.state = 'recovering'
    store.state.details[1]!.state = 'fenced'
    store.state.conditions = [{ name: 'caught_up', ok: false }]
    const samples = samplesIn(await render())
    const ones = [...samples]
      .filter(([series, value]) => /_state\{/.test(series) && value === 1)
      .map(([series]) => series)
    expect(ones).toEqual([
      'latchkey_state{state="recovering"}',
      'latchkey_partition_state{partition="0",role="primary",state="running"}',
      'latchkey_partition_state{partition="1",role="primary",state="fenced"}',
    ])
    expect(samples.get('latchkey_condition{name="caught_up"}')).toBe(0)
  })

  test('partitions appear when the store replaces its stats', async () => {
    const { store, render } = setUp()
    store.stats = new Stats([])
    expect([...samplesIn(await render()).keys()].join()).not.toContain('latchkey_partition_entries')
    store.stats = new Stats([7])
    expect(samplesIn(await render()).get('latchkey_partition_entries{partition="7"}')).toBe(0)
  })

  test('requests that were refused for their Host are counted, of all threads', async () => {
    const buffers = [LookupStats.buffer(), LookupStats.buffer()]
    const [own, other] = [new LookupStats(buffers, 0), new LookupStats(buffers, 1)]
    const minute = 60_000
    const logged = [own, other, other, own].map((stats, index) => stats.observeRefusedHost(minute * (1 + index / 3)))
    expect(logged).toEqual([true, false, false, true])
    const metrics = createMetrics(new FakeStore(), own, facts)
    const samples = samplesIn(await metrics.render())
    expect(samples.get('latchkey_hosts_refused_total')).toBe(4)
    expect(samples.get('latchkey_lookup_seconds_count')).toBe(0)
  })

  test('latency buckets are cumulative when lookups are observed', async () => {
    const { lookups, render } = setUp()
    for (const seconds of [0, 0.000_05, 0.000_06, 0.02, 2]) lookups.observe('found', seconds)
    const samples = samplesIn(await render())
    const cumulative = latencyBounds.map((bound) => samples.get(`latchkey_lookup_seconds_bucket{le="${bound}"}`))
    expect(cumulative).toEqual([2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4])
    expect(samples.get('latchkey_lookup_seconds_bucket{le="+Inf"}')).toBe(5)
    expect(samples.get('latchkey_lookup_seconds_count')).toBe(5)
    expect(samples.get('latchkey_lookup_seconds_sum')).toBeCloseTo(2.020_11)
    expect(samples.get('latchkey_lookups_total{outcome="found"}')).toBe(5)
  })
})
