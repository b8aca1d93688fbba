/** Which partitions have room. */
import { expect, test } from 'bun:test'
import { lastingBytesFor, mapBytesFor } from '../../lib/store-protocol/memory-budget.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { Fills } from '../../lib/store-thread/fills.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'
import { memoryStandIn } from '../support/store-thread/stand-ins.ts'

function start() {
  const stats = new Stats([0])
  const { memory, room } = memoryStandIn()
  const map = { stats: () => ({ totalBytes: 0, indexBytes: 0 }) }
  const config = { memoryMax: 2 ** 30, sourceTopic: 'orders' }
  const context = { config, memory, map, stats, roles: { primaries: [], replicas: [] } } as unknown as StoreContext
  return { fills: new Fills(context), room, stats }
}

test('a partition needs the room of its next tables if its tables are nearly full: else it fills the store that takes it', () => {
  // 2^14 slots hold 11,468, and count as nearly full from 10,035 on.
  for (const [entries, isNearlyFull] of [
    [10_000, false],
    [10_100, true],
  ] as const) {
    const { fills, room, stats } = start()
    const stated = { entries, bytes: 1_000_000 }
    room.bytes = mapBytesFor(stated)
    expect(fills.begins(0, stated)).toBe(!isNearlyFull)
    // The group learns how much it takes.
    expect(stats.gauge(0, 'neededBytes')).toBe(lastingBytesFor(stated))
    room.bytes = lastingBytesFor(stated)
    if (isNearlyFull) expect(fills.begins(0, stated)).toBe(true)
  }
})
