import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { logRecovered } from '../../lib/store-thread/recovered-log.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'
import { someFacts } from '../support/store-thread/snapshot-facts.ts'
import { captureLog } from '../support/store-thread/stand-ins.ts'

function logged(entries: number, records: number, snapshots: number, snapshotDir?: string): string[] {
  const lines = captureLog()
  const stats = new Stats([0, 1])
  stats.setGauge(0, 'entries', entries)
  stats.add('recordsRecovered', records)
  const config = { changelogTopic: 'log', storeId: 'orders', useProcessingOnly: false, snapshotDir }
  const context = { config, stats, roles: { primaries: [0, 1], replicas: [], notices: [] } } as unknown as StoreContext
  const restored = { facts: someFacts(), entries: 5, bytes: 9, ageMs: 14_400 }
  logRecovered(
    context,
    Array.from({ length: snapshots }, () => restored),
    0.214,
  )
  return lines.map((line) => line.replace(/^\S+ +/, ''))
}

test('the log says what a recovery has read', () => {
  expect(logged(0, 0, 0)).toEqual(['Changelog log is empty, nothing to recover'])
  expect(logged(7, 214, 0)).toEqual(['Recovered 7 entries from 214 changelog records in 0.21 s (1000 records/s)'])
  expect(logged(1_000_000, 1_204, 2)).toEqual([
    'Recovered 1000000 entries from a snapshot of 14 s ago and 1204 changelog records in 0.21 s',
  ])
  expect(logged(7, 214, 1)).toEqual([
    'Recovered 7 entries from snapshots of 14 s ago (1 of 2 partitions) and 214 changelog records in 0.21 s',
  ])
})

test('the log names what snapshots would save from a million entries on, and only without them', () => {
  expect(logged(999_999, 1_000_000, 0)).toHaveLength(1)
  expect(logged(1_000_000, 1_000_000, 0)[1]).toContain('With SNAPSHOT_DIR the next start reads 1000000 entries')
  expect(logged(1_000_000, 1_000_000, 0, '/snapshots')).toHaveLength(1)
})
