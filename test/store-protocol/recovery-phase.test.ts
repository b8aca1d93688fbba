import { expect, test } from 'bun:test'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import { beginPhase, haltedRemaining } from '../../lib/store-protocol/recovery-phase.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'

test('halted partitions remain only when every other partition has reached its end', () => {
  const stats = new Stats([0, 1, 2])
  for (const partition of stats.partitions) {
    beginPhase(stats, partition, 'catching-up', { start: 0, end: 10 })
    setPartitionState(stats, partition, 'running')
  }
  expect(haltedRemaining(stats)).toEqual([])
  for (const partition of [0, 2]) setPartitionState(stats, partition, 'halted')
  expect(haltedRemaining(stats)).toEqual([])
  stats.setGauge(1, 'phasePosition', 10)
  expect(haltedRemaining(stats)).toEqual([0, 2])
  // One that halted after the end that there was at start has arrived.
  for (const partition of [0, 2]) stats.setGauge(partition, 'phasePosition', 10)
  expect(haltedRemaining(stats)).toEqual([])
})
