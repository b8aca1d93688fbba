/** What snapshots take of MEMORY_MAX: what is restored, and a copy of the index while one is taken. */
import { afterAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSnapshotDirectory, SnapshotWriter } from '../../../lib/map/index.ts'
import { MemoryLedger, recoveryBudgetOf } from '../../../lib/store-protocol/memory-budget.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { MemoryGuard } from '../../../lib/store-thread/memory/memory-guard.ts'
import { restoreWithin } from '../../../lib/store-thread/snapshots/restore-within.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'

const mebibyte = 1 << 20
const folder = temporaryFolder('memory-room')
const memory = { segmentBytes: 1 << 16, slabBytes: mebibyte }
/** A third of it is for the maps, and a quarter of the rest besides while they recover. */
const memoryMax = 48 * mebibyte
/** An eighth of the rest, for buffers. */
const bufferReserve = 4 * mebibyte

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function directoryAt(name: string) {
  const opened = openSnapshotDirectory(join(folder, name))
  if ('fault' in opened) throw new Error(opened.fault.message)
  return opened.directory
}

/** A store thread's map, with a guard over it. */
function started(name: string, ledger = MemoryLedger.buffer(), settings: Partial<StoreConfig> = {}) {
  const directory = directoryAt(name)
  const fixture = createFixture({ seed: directory.seed, ...memory })
  const config = { storeId: 'orders', memoryMax, memoryLedger: ledger, ...settings } as StoreConfig
  const flush = async () => void (await fixture.map.publish())
  const failed = (error: unknown) => {
    throw error
  }
  const { map } = fixture
  const guard = new MemoryGuard({ config, map, stats: new Stats([0]), threads: 1, flush, post: () => {}, failed })
  const needed = () => new MemoryLedger(ledger).sum('neededBytes')
  return { ...fixture, directory, config, guard, needed }
}

/** Writes a snapshot of so many entries with a KiB each. */
async function taken(name: string, entries: number): Promise<void> {
  const directory = directoryAt(name)
  const { map, put, openAll } = createFixture({ seed: directory.seed, ...memory })
  await openAll()
  for (let key = 0; key < entries; key++) put(0, `key ${key}`, `${key}`.padEnd(1000))
  await map.publish()
  const writer = new SnapshotWriter(map, directory)
  expect(await writer.take(0, {})).toMatchObject({ kind: 'taken' })
  writer.close()
}

test('a snapshot that fits is restored, and counts while it is read', async () => {
  await taken('fits', 12_000)
  const { map, directory, guard, needed, openAll, text } = started('fits')
  const [candidate] = directory.candidates(0).snapshots
  const restoring = restoreWithin(guard.room, map, candidate!)
  expect(needed()).toBeGreaterThanOrEqual(candidate!.memoryBytes)
  expect(needed()).toBeLessThan(candidate!.memoryBytes + mebibyte)
  expect(await restoring).toBeUndefined()
  await openAll()
  expect(text('key 11999')).toStartWith('11999 ')
  const { usedBytes } = map.memory
  expect(usedBytes / candidate!.memoryBytes).toBeWithin(0.95, 1.1)
  guard.stop()
})

test('a snapshot that does not fit is not read', async () => {
  await taken('large', 30_000)
  const { map, directory, guard, needed, config } = started('large')
  const [candidate] = directory.candidates(0).snapshots
  expect(candidate!.memoryBytes).toBeGreaterThan(recoveryBudgetOf(config))
  const found = 'snapshot 1 takes 31 MiB of memory, and MEMORY_MAX leaves less'
  expect(await restoreWithin(guard.room, map, candidate!)).toEqual({ reason: 'memory', message: found })
  expect(map.stats(0)).toMatchObject({ entries: 0, totalBytes: 0 })
  expect(needed()).toBeLessThan(mebibyte)
  guard.stop()
})

test('what another store thread restores counts', async () => {
  await taken('shared', 12_000)
  const ledger = MemoryLedger.buffer()
  const [first, second] = [started('shared', ledger), started('shared', ledger)]
  const restore = ({ directory, guard, map }: typeof first) => {
    return restoreWithin(guard.room, map, directory.candidates(0).snapshots[0]!)
  }
  const both = await Promise.all([restore(first), restore(second)])
  expect(both).toMatchObject([undefined, { reason: 'memory' }])
  expect(second.map.stats(0)).toMatchObject({ entries: 0 })
  first.guard.stop()
  second.guard.stop()
})

test('several are counted together, and nothing of them at the end', () => {
  const { guard, needed } = started('several')
  const before = needed()
  const first = guard.room.beginRestore(8 * mebibyte)!
  const second = guard.room.beginRestore(7 * mebibyte)!
  expect(needed() - before).toBeGreaterThanOrEqual(15 * mebibyte)
  expect(guard.room.beginRestore(14 * mebibyte)).toBeUndefined()
  first()
  second()
  expect(guard.room.addBuffer(bufferReserve + mebibyte)).toBeTrue()
  expect(needed() - before).toBeWithin(mebibyte, 2 * mebibyte)
  guard.stop()
})

test('the copy of an index that does not fit is a failure of the snapshot, and counts where it fits', async () => {
  const { map, directory, guard, put, openAll, needed } = started('copy')
  await openAll()
  for (let key = 0; key < 3_000; key++) put(0, `key ${key}`, 'value')
  await map.publish()
  const writer = new SnapshotWriter(map, directory, { mayKeep: (bytes) => guard.room.addBuffer(bytes) })
  guard.room.addBuffer(bufferReserve)
  const ended = guard.room.beginRestore(15 * mebibyte + mebibyte / 2)!
  const message = 'a copy of its index has 65536 bytes, and memory is full'
  for (let i = 0; i < 7; i++) guard.room.addBuffer(1 << 16)
  expect(await writer.take(0, {})).toEqual({ kind: 'failed', reason: 'memory', message })
  ended()
  expect(guard.room.addBuffer(0)).toBeTrue()
  const before = needed()
  expect(await writer.take(0, {})).toMatchObject({ kind: 'taken', entries: 3_000 })
  guard.room.addBuffer(0)
  expect(needed() - before).toBe(1 << 16)
  // The copy is kept for the next one.
  expect(await writer.take(0, {})).toMatchObject({ kind: 'taken' })
  guard.room.addBuffer(0)
  expect(needed() - before).toBe(1 << 16)
  writer.close()
  guard.stop()
})

test('a full store takes snapshots: the copy of its index has a place in the reserve', async () => {
  const { map, directory, guard, put, openAll, needed } = started('full')
  await openAll()
  for (let key = 0; key < 17_000; key++) put(0, `key ${key}`, `${key}`.padEnd(1000))
  await map.publish()
  guard.check()
  expect(needed()).toBeGreaterThan(16 * mebibyte)
  const writer = new SnapshotWriter(map, directory, { mayKeep: (bytes) => guard.room.addBuffer(bytes) })
  expect(await writer.take(0, {})).toMatchObject({ kind: 'taken', entries: 17_000 })
  // More than the reserve has for it.
  expect(guard.room.addBuffer(bufferReserve)).toBeFalse()
  writer.close()
  guard.stop()
})

test('a snapshot that comes while the store runs has no room beyond the bound where partitions come and go', async () => {
  const { guard, config } = started('later')
  const bytes = Math.floor(recoveryBudgetOf(config) * 0.95)
  guard.recovered()
  const ended = guard.room.beginRestore(bytes)
  expect(ended).toBeDefined()
  ended!()
  guard.stop()
  const elastic = started('later elastic', MemoryLedger.buffer(), { elastic: {} })
  elastic.guard.recovered()
  expect(elastic.guard.room.beginRestore(bytes)).toBeUndefined()
  elastic.guard.stop()
})
