/** The disk refuses: the attempt leaves nothing behind, what was there before is whole, and the next snapshot is taken. */
import { expect, test } from 'bun:test'
import { SimulatedDisk, systemError } from '../../support/map/snapshot/simulated-disk.ts'
import { path, SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { Random } from '../../support/random.ts'

const partitionPath = `${path}/0`

async function prepared(random: Random, snapshots: number) {
  const disk = new SimulatedDisk()
  const run = new SnapshotRun(disk, random)
  await run.fixture.openAll()
  for (let i = 0; i < snapshots; i++) {
    run.put(400)
    await run.take()
  }
  run.put(300)
  return { disk, run }
}

async function expectUsed(disk: SimulatedDisk, { operations }: SnapshotRun, generation: number) {
  const next = new SnapshotRun(disk, new Random(1), {}, operations)
  const restored = await next.restore()
  expect(restored).toMatchObject({ generation, faults: [] })
  await next.replay(restored.position)
  expect(next.differences()).toEqual([])
}

for (const [code, reason] of [
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EROFS', 'refused'],
  ['EACCES', 'refused'],
  ['EIO', 'disk'],
] as const) {
  for (const snapshots of [0, 2]) {
    test(`${code} in each step, after ${snapshots} snapshots`, async () => {
      const random = Random.of(code)
      for (let at = 0; ; at++) {
        const { disk, run } = await prepared(random, snapshots)
        const { operations } = disk
        const before = disk.list(partitionPath).toSorted()
        const lengths = () =>
          before
            .filter((name) => name.startsWith('log'))
            .map((name) => disk.content(`${partitionPath}/${name}`).bytes.length)
        const lengthsBefore = lengths()
        let hasFailed = false
        disk.before = () => {
          if (hasFailed || disk.operations < operations + at) return
          hasFailed = true
          throw systemError(code)
        }
        const outcome = await run.take()
        disk.before = () => {}
        if (!hasFailed) break
        if (outcome.kind === 'failed') {
          expect(outcome).toMatchObject({ reason, message: `${code}: simulated` })
          expect(disk.list(partitionPath).toSorted()).toEqual(before)
          if (reason === 'full') expect(lengths()).toEqual(lengthsBefore)
          await expectUsed(disk, run, snapshots)
        }
        expect(await run.take()).toMatchObject({ kind: 'taken', generation: snapshots + 2 })
        await expectUsed(disk, run, snapshots + 2)
      }
    })
  }
}

test('a log whose sync failed is not used again: the next snapshot writes everything to another file', async () => {
  const { disk, run } = await prepared(Random.of('sync'), 2)
  disk.before = (operation, file) => {
    if (operation === 'sync' && file.endsWith('log-1')) throw systemError('EIO')
  }
  expect(await run.take()).toMatchObject({ kind: 'failed', reason: 'disk' })
  const taken = await run.take()
  if (taken.kind === 'failed') throw new Error(taken.message)
  expect(disk.list(partitionPath).toSorted()).toEqual([
    'index-2',
    'index-4',
    'log-1',
    'log-4',
    'manifest-2',
    'manifest-4',
  ])
  expect(taken.writtenBytes).toBeGreaterThanOrEqual(taken.totalBytes)
  await expectUsed(disk, run, 4)
})

test('short writes and reads are continued', async () => {
  const { disk, run } = await prepared(Random.of('short'), 0)
  disk.writeMax = 100
  disk.readMax = 77
  expect(await run.take()).toMatchObject({ kind: 'taken' })
  await expectUsed(disk, run, 1)
})

test('a disk that stays full is tried each time, and keeps the last snapshot', async () => {
  const { disk, run } = await prepared(Random.of('full'), 1)
  disk.before = (operation) => {
    if (operation === 'write') throw systemError('ENOSPC')
  }
  for (let i = 0; i < 3; i++) {
    expect(await run.take()).toMatchObject({ kind: 'failed', reason: 'full' })
    run.put(100)
    await expectUsed(disk, run, 1)
  }
})

test('only what changed is written, and the log stays bounded', async () => {
  const { disk, run } = await prepared(Random.of('incremental'), 0)
  const first = await run.take()
  const again = await run.take()
  if (first.kind === 'failed' || again.kind === 'failed') throw new Error('failed')
  expect(again.writtenBytes).toBeLessThan(first.writtenBytes / 2)
  for (let i = 0; i < 100; i++) {
    run.put(300)
    await run.take()
  }
  const names = disk.list(partitionPath).toSorted()
  expect(names).toEqual(['index-101', 'index-102', 'log-1', 'manifest-101', 'manifest-102'])
  expect(disk.content(`${partitionPath}/log-1`).bytes.length).toBeLessThan(8 * run.fixture.map.stats(0).totalBytes)
})
