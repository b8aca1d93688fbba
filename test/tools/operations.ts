/** What `latchkey print` prints, checked by the tools that read it. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { observe } from '../../lib/http/handler.ts'
import { documents } from '../../lib/print/index.ts'
import { FakeStore } from '../support/http/fake-store.ts'
import { run } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const timeoutMs = 60_000
let folder: string

beforeAll(() => {
  folder = temporaryFolder('operations')
})

afterAll(() => rmSync(folder, { recursive: true }))

test('promtool accepts the rules of alerts', async () => {
  const path = join(folder, 'alerts.yml')
  writeFileSync(path, documents.alerts)
  const { stdout, stderr, exitCode } = await run(['promtool', 'check', 'rules', path], timeoutMs)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toContain('rules found')
})

test('promtool accepts the metrics', async () => {
  const observed = observe(new FakeStore(), '1.2.3')
  const check = ['promtool', 'check', 'metrics']
  const { stdout, stderr, exitCode } = await run(check, timeoutMs, await observed.metrics.render())
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: '', stderr: '' })
})

/** Series of a store that is well: those that the rules name. */
const well: Readonly<Record<string, string>> = {
  'latchkey_condition{name="recovered"}': '1x60',
  'latchkey_state{state="failed"}': '0x60',
  'latchkey_partition_lag{partition="0"}': '5x60',
  'latchkey_partition_trouble_since_seconds{partition="0"}': '0x60',
  'latchkey_partition_state{partition="0",role="primary",state="fenced"}': '0x60',
  'latchkey_records_skipped_total{reason="null_key"}': '0x60',
  latchkey_foreign_writes_total: '0x60',
  latchkey_memory_full: '0x60',
  'latchkey_partition_snapshot_age_seconds{partition="0"}': '30x60',
  'latchkey_lookups_total{outcome="readers_exhausted"}': '0x60',
  // Of a group of two.
  latchkey_group_members: '2x60',
  latchkey_group_excluded_members: '0x60',
  latchkey_group_unassigned_partitions: '0x60',
  latchkey_group_lease_seconds: '5.5x60',
  'latchkey_group_rebalances_total{reason="ready"}': '7x60',
  latchkey_misplaced_keys: '0x60',
  'latchkey_peer_up{peer="http://b"}': '1x60',
  'latchkey_lookups_forwarded_total{result="unreachable"}': '0x60',
}
/** Of a store without a group, whose lease is 0, too. */
const alone = {
  latchkey_group_members: '0x60',
  latchkey_group_lease_seconds: '0x60',
}

test('each alert fires when it should, and none without a reason', async () => {
  const cases: readonly (readonly [alert: string | undefined, series: string, values: string])[] = [
    [undefined, 'up', '1x60'],
    ['LatchkeyGroupUnassigned', 'latchkey_group_unassigned_partitions', '2x60'],
    ['LatchkeyGroupExcludes', 'latchkey_group_excluded_members', '1x60'],
    ['LatchkeyGroupWithoutLease', 'latchkey_group_lease_seconds', '0x60'],
    ['LatchkeyPeerUnreachable', 'latchkey_peer_up{peer="http://b"}', '0x60'],
    ['LatchkeyMisplacedKeys', 'latchkey_misplaced_keys', '1x60'],
    ['LatchkeyForwardsFail', 'latchkey_lookups_forwarded_total{result="unreachable"}', '0+1x60'],
    ['LatchkeyGroupUnsteady', 'latchkey_group_rebalances_total{reason="ready"}', '7+2x60'],
    ['LatchkeyNotReady', 'latchkey_condition{name="recovered"}', '0x60'],
    ['LatchkeyFailed', 'latchkey_state{state="failed"}', '1x60'],
    ['LatchkeyLagGrows', 'latchkey_partition_lag{partition="0"}', '20000+100x60'],
    [
      'LatchkeyBrokerTrouble',
      'latchkey_partition_trouble_since_seconds{partition="0",client="source consumer",broker="b:1"}',
      '60x60',
    ],
    ['LatchkeyPartitionStopped', 'latchkey_partition_state{partition="0",role="primary",state="fenced"}', '1x60'],
    ['LatchkeyRecordsSkipped', 'latchkey_records_skipped_total{reason="null_key"}', '0+1x60'],
    ['LatchkeyForeignWrites', 'latchkey_foreign_writes_total', '0+1x60'],
    ['LatchkeyMemoryFull', 'latchkey_memory_full', '1x60'],
    ['LatchkeySnapshotOld', 'latchkey_partition_snapshot_age_seconds{partition="0"}', '4000+60x60'],
    ['LatchkeyReadersExhausted', 'latchkey_lookups_total{outcome="readers_exhausted"}', '0+1x60'],
  ]
  const named = documents.alerts.match(/(?<=alert: )\w+/g)
  expect(cases.flatMap(([alert]) => alert ?? []).toSorted()).toEqual(named!.toSorted())
  const all = [
    ...cases.map(([alert, series, values]) => [alert, { [series]: values }] as const),
    [undefined, alone] as const,
  ]
  const tests = all.map(([alert, changes]) => ({
    interval: '1m',
    input_series: Object.entries({ ...well, ...changes }).map(([series, values]) => ({ series, values })),
    promql_expr_test: [
      {
        expr: 'group by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: '50m',
        exp_samples: alert === undefined ? [] : [{ labels: `{alertname="${alert}"}`, value: 1 }],
      },
    ],
  }))
  writeFileSync(join(folder, 'alerts.yml'), documents.alerts)
  const path = join(folder, 'alerts-test.json')
  writeFileSync(path, JSON.stringify({ rule_files: ['alerts.yml'], evaluation_interval: '1m', tests }))
  const { stdout, stderr, exitCode } = await run(['promtool', 'test', 'rules', path], timeoutMs)
  expect({ exitCode, failed: stdout.includes('FAILED') && stdout, stderr }).toEqual({
    exitCode: 0,
    failed: false,
    stderr: '',
  })
})

test('promtool accepts each expression of the dashboard', async () => {
  const { panels } = JSON.parse(documents.dashboard) as { panels: { targets?: { expr: string }[] }[] }
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
  const rules = expressions.map((expr, index) => {
    return { record: `panel:${index}`, expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*') }
  })
  const path = join(folder, 'dashboard.json')
  writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
  const { stdout, stderr, exitCode } = await run(['promtool', 'check', 'rules', path], timeoutMs)
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toContain(`${rules.length} rules found`)
})

test('systemd accepts the unit, and finds it hardened', async () => {
  const unit = join(folder, 'latchkey@orders.service')
  writeFileSync(unit, documents.unit.replace('/usr/local/bin/latchkey', '/bin/true'))
  const verified = await run(['systemd-analyze', 'verify', '--man=no', unit], timeoutMs)
  expect(verified).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  const security = ['systemd-analyze', 'security', '--offline=true', '--threshold=30', unit]
  expect((await run(security, timeoutMs)).exitCode).toBe(0)
})
