import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { HeldCopies } from '../../lib/store/held-copies.ts'
import { openMapStore } from '../support/store/map-store.ts'
import { storeConfigOf } from '../support/store/store-config-of.ts'

test('a primary says that it has caught up only once it has: not as it takes the partition, nor after it lost it', () => {
  const stats = new Stats([0])
  const assignment = { primaries: [0], replicas: [], partitionCount: 1 }
  const copies = new HeldCopies(storeConfigOf('orders', 'localhost:9092'), { stats, assignment, merged() {} })
  const isCaughtUp = (gauge: number) => {
    stats.setGauge(0, 'caughtUp', gauge)
    return copies.of(0).caughtUp
  }
  expect([-1, 0, 1, -1].map(isCaughtUp)).toEqual([false, false, true, false])
})

test('who asks for it learns that roles may have changed when a store thread says so', async () => {
  const { store, threads } = await openMapStore(2, [{ primaries: [0, 1] }])
  let changes = 0
  store.copies.onRoles(() => changes++)
  threads[0]!.stats.setGauge(1, 'role', 1)
  expect(changes).toBe(0)
  threads[0]!.post({ type: 'roles', primaries: [0], replicas: [1] })
  expect(changes).toBe(1)
})
