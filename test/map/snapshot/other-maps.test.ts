/** A snapshot is restored into maps that differ from the one that took it. */
import { expect, test } from 'bun:test'
import { type ChiralMapOptions, restoreSnapshot } from '../../../lib/map/index.ts'
import { SimulatedDisk } from '../../support/map/snapshot/simulated-disk.ts'
import { type RunOptions, SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { Random } from '../../support/random.ts'

const kinds: Record<string, { before?: RunOptions; after: Partial<ChiralMapOptions>; continuesLog: boolean }> = {
  'larger segments': { after: { segmentBytes: 16 * 1024 }, continuesLog: false },
  'smaller segments': { before: { segmentBytes: 16 * 1024 }, after: {}, continuesLog: false },
  'a larger first table': { after: { initialCapacity: 20_000 }, continuesLog: true },
  'a smaller first table': { before: { initialCapacity: 20_000 }, after: {}, continuesLog: true },
  'slabs of another size': { after: { slabBytes: 16 * 1024 }, continuesLog: true },
}

for (const [kind, { before = {}, after, continuesLog }] of Object.entries(kinds)) {
  test(`a snapshot is restored into a map with ${kind}`, async () => {
    const random = Random.of(kind)
    const disk = new SimulatedDisk()
    const run = new SnapshotRun(disk, random, before)
    await run.fixture.openAll()
    for (let i = 0; i < 2; i++) {
      run.put(700)
      await run.take()
    }
    const next = new SnapshotRun(disk, random, after, run.operations)
    const { generation, position, faults } = await next.restore()
    expect({ generation, faults }).toEqual({ generation: 2, faults: [] })
    await next.replay(position)
    expect(next.differences()).toEqual([])
    next.put(300)
    expect(await next.take()).toMatchObject({ kind: 'taken', generation: 3 })
    const log = disk.list('/snapshots/store/0').find((name) => name === 'log-3')
    expect(log).toBe(continuesLog ? undefined : 'log-3')
    const last = new SnapshotRun(disk, random, after, next.operations)
    const restored = await last.restore()
    expect(restored).toMatchObject({ generation: 3, faults: [] })
    await last.replay(restored.position)
    expect(last.differences()).toEqual([])
  })
}

test('partitions of several maps are restored into one, and the numbers of their segments do not matter', async () => {
  const random = Random.of('several maps')
  const disk = new SimulatedDisk()
  const partitions = [0, 1, 2]
  const runs = []
  for (const partition of partitions) {
    const run = new SnapshotRun(disk, random, { partitions: [partition], partitionCount: 3, partition })
    await run.fixture.openAll()
    run.put(500)
    await run.publish()
    expect(await run.writer.take(partition, {})).toMatchObject({ kind: 'taken' })
    runs.push(run)
  }
  const all = new SnapshotRun(disk, random, { partitions, partitionCount: 3 })
  for (const [partition, run] of runs.entries()) {
    const [candidate] = all.directory.candidates(partition).snapshots
    expect(await restoreSnapshot(all.fixture.map, candidate!)).toBeUndefined()
    expect(all.fixture.map.stats(partition).entries).toBe(candidate!.manifest.entries)
    expect(candidate!.manifest.partition).toBe(run.partition)
  }
  await all.fixture.openAll()
  for (const [partition, { operations, fixture }] of runs.entries()) {
    for (const { key } of operations) {
      const bytes = Buffer.from(key)
      expect(all.fixture.map.latest(partition, bytes)).toEqual(fixture.map.latest(partition, bytes))
    }
  }
})

test('what does not fit into the map is a fault, and leaves the partition empty', async () => {
  const random = Random.of('does not fit')
  const disk = new SimulatedDisk()
  const run = new SnapshotRun(disk, random, { keys: 2000 })
  await run.fixture.openAll()
  run.put(3000)
  await run.take()
  const next = new SnapshotRun(disk, random, { bytesMax: 128 * 1024 }, run.operations)
  expect(await next.restore()).toMatchObject({ generation: 0, faults: [{ reason: 'memory' }] })
  expect(next.fixture.map.stats(0)).toMatchObject({ entries: 0, liveBytes: 0, totalBytes: 0 })
})
