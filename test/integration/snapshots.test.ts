/** A start from a local snapshot shows what the changelog says, and reads only what follows the snapshot. */
import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'
import { converged, keyed, onceConverged, refusalsOf, snapshotFolder } from '../support/store/snapshots.ts'

/** Snapshots are taken at the start and at the close only. */
const hour = 3_600

test('a store starts from the snapshot of its last close', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  using folder = snapshotFolder()
  const settings = { snapshotDir: folder.path, snapshotSeconds: hour }
  await fixture.produce(keyed(0, 1_000, (i) => `value-${i}`))
  const first = await onceConverged(fixture, settings)
  expect(refusalsOf(first)).toEqual(['none', 'none'])
  expect(first.stats.count('snapshots')).toBeGreaterThanOrEqual(2)

  await fixture.produce([...keyed(0, 10, () => null), ...keyed(5_000, 5_010, (i) => `new-${i}`)])
  const second = await converged(fixture, settings)
  expect(refusalsOf(second)).toEqual(['used', 'used'])
  expect(second.stats.count('recordsRecovered')).toBe(0)
  expect(await fixture.value(second, 'key-5')).toBeUndefined()
  expect(await fixture.value(second, 'key-500')).toBe('value-500')
  expect(await fixture.value(second, 'key-5005')).toBe('new-5005')
  await fixture.logged('Recovered 1000 entries from a snapshot of')
})

test('a store reads what another instance wrote after the snapshot, the first record of it, too', async () => {
  await using fixture = await Fixture.create()
  using folder = snapshotFolder()
  const settings = { snapshotDir: folder.path, snapshotSeconds: hour }
  await fixture.produce(keyed(0, 100, (i) => `value-${i}`))
  await onceConverged(fixture, settings)
  await fixture.produce([{ key: 'key-7', value: null }, ...keyed(20, 30, (i) => `new-${i}`)])
  await onceConverged(fixture)
  const store = await converged(fixture, settings)
  expect(refusalsOf(store)).toEqual(['used'])
  expect(store.stats.count('recordsRecovered')).toBe(11)
  expect(await fixture.value(store, 'key-7')).toBeUndefined()
})

test.each([
  { change: 'another number of store threads', settings: { storeThreads: 2 } },
  { change: 'a part of the partitions', settings: { partitions: [1, 2] } },
  { change: 'no fencing', settings: { fencing: false } },
  { change: 'copies of some', settings: { partitions: [0], partitionsReplica: [1, 2, 3] } },
  { change: 'only copies', settings: { useReplicaOnly: true } },
  { change: 'kept headers', settings: { keepHeaders: ['trace'] }, found: 'other-headers' as const },
])('a snapshot serves a start with $change, and the start after that', async ({ settings, found = 'used' }) => {
  await using fixture = await Fixture.create({ partitions: 4 })
  using folder = snapshotFolder()
  const own = { snapshotDir: folder.path, snapshotSeconds: hour }
  const spread = keyed(0, 400, (i) => `value-${i}`).map((one, i) => ({ ...one, partition: i % 4 }))
  await fixture.produce(spread)
  await onceConverged(fixture, own)
  await fixture.produce(spread.slice(0, 40).map((one) => ({ ...one, value: null })))
  await onceConverged(fixture, { storeThreads: 2 })

  const other = fixture.openLogged({ ...own, ...settings, waitForReplicas: true })
  await fixture.quiet(other)
  expect(refusalsOf(other)).toEqual(refusalsOf(other).map(() => found))
  await other.close()
  // A close on a busy machine may be too short for another snapshot; then there is the one before.
  const last = await converged(fixture, own)
  for (const start of refusalsOf(last)) expect(['used', found]).toContain(start)
})
