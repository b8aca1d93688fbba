/** Large segments are restored by showing the log file in memory, until they are independent of it. */
import { afterAll, expect, test } from 'bun:test'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { discardSnapshot, restoreSnapshot } from '../../../lib/map/index.ts'
import type { Disk } from '../../../lib/map/snapshot/disk.ts'
import { systemDisk } from '../../../lib/map/snapshot/system-disk.ts'
import { RecordingKeeper } from '../../support/map/snapshot/recording-keeper.ts'
import { SnapshotRun } from '../../support/map/snapshot/snapshot-run.ts'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import { Random } from '../../support/random.ts'

const folder = temporaryFolder('mapped-segments')
const segmentBytes = 1 << 20
const map = { segmentBytes, slabBytes: 8 * segmentBytes, keys: 20_000 }

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function taken(name: string, snapshots = 1) {
  const random = Random.of(name)
  const options = { ...map, folder: join(folder, name) }
  const run = new SnapshotRun(systemDisk, random, options)
  await run.fixture.openAll()
  for (let i = 0; i < snapshots; i++) {
    run.put(25_000)
    expect(await run.take()).toMatchObject({ kind: 'taken' })
  }
  run.put(1000)
  run.writer.close()
  const start = (keeper = new RecordingKeeper(), disk = systemDisk) => {
    return { run: new SnapshotRun(disk, random, { ...options, keeper }, run.operations), keeper }
  }
  return { start, log: join(options.folder, '0/log-1') }
}

test('segments show the file, and independent of it when they are owned', async () => {
  const { start, log } = await taken('owned')
  const { run, keeper } = start()
  keeper.checks = true
  const { generation, position } = await run.restore()
  expect([generation, keeper.checked]).toEqual([1, run.directory.mapped.all.length])
  expect(run.directory.mapped.all.length).toBeGreaterThan(1)
  expect([...new Set(keeper.shown)]).toEqual([log])
  await run.replay(position)
  expect(run.differences()).toEqual([])
  // Overwrites free some of them, which is put off.
  run.put(40_000)
  await run.publish()
  expect(run.differences()).toEqual([])
  expect(await run.writer.own()).toBeUndefined()
  expect(run.directory.mapped.all).toEqual([])
  expect([keeper.kept.size, keeper.released]).toEqual([0, []])
  truncateSync(log, 0)
  expect(run.differences()).toEqual([])
  run.put(40_000)
  await run.publish()
  expect(run.differences()).toEqual([])
  run.writer.close()
})

test('a snapshot is taken after segments are owned, and restored', async () => {
  const { start } = await taken('taken', 2)
  let { run, keeper } = start()
  for (let round = 0; round < 3; round++) {
    const { generation, position, faults } = await run.restore()
    expect({ generation, faults }).toEqual({ generation: 2 + 2 * round, faults: [] })
    expect(keeper.shown).not.toBeEmpty()
    await run.replay(position)
    for (let i = 0; i < 2; i++) {
      run.put(5000)
      expect(await run.take()).toMatchObject({ kind: 'taken' })
      expect(run.directory.mapped.all).toEqual([])
    }
    await run.publish()
    expect(run.differences()).toEqual([])
    run.writer.close()
    expect([keeper.kept.size, keeper.released]).toEqual([0, []])
    const next = start()
    next.run.operations.push(...run.operations.slice(next.run.operations.length))
    ;({ run, keeper } = next)
  }
})

test.each([
  ['cut off', false],
  ['a bit is flipped', false],
  ['a bit is flipped, as another thread finds,', true],
])('a log of which %s is damage: the partition is empty again', async (damage, checks) => {
  const { start, log } = await taken(damage)
  const bytes = readFileSync(log)
  if (damage === 'cut off') truncateSync(log, 3 * segmentBytes)
  else {
    bytes[2 * segmentBytes + 1000]! ^= 4
    writeFileSync(log, bytes)
  }
  const { run, keeper } = start()
  keeper.checks = checks
  expect(await run.restore()).toMatchObject({ generation: 0, faults: [{ reason: 'damaged' }] })
  expect(run.directory.mapped.all).toEqual([])
  expect(keeper.checked > 0).toBe(checks)
  expect([keeper.kept.size, keeper.released]).toEqual([0, []])
  expect(run.fixture.map.stats(0)).toMatchObject({ entries: 0, totalBytes: 0 })
  truncateSync(log, 0)
  await run.replay(0)
  expect(run.differences()).toEqual([])
  run.writer.close()
})

test('a snapshot that was restored can be discarded', async () => {
  const { start, log } = await taken('discarded')
  const { run, keeper } = start()
  const [candidate] = run.directory.candidates(0).snapshots
  expect(await restoreSnapshot(run.fixture.map, candidate!)).toBeUndefined()
  expect(keeper.shown).not.toBeEmpty()
  discardSnapshot(run.fixture.map, candidate!)
  expect(run.directory.mapped.all).toEqual([])
  expect([keeper.kept.size, keeper.released]).toEqual([0, []])
  truncateSync(log, 0)
  await run.replay(0)
  expect(run.differences()).toEqual([])
  expect(await run.take()).toMatchObject({ kind: 'taken', generation: 2 })
  run.writer.close()
})

test('closing makes memory independent of the file, and nothing shows it afterwards', async () => {
  const { start, log } = await taken('closed')
  const { run, keeper } = start()
  const { position } = await run.restore()
  await run.replay(position)
  expect(keeper.shown).not.toBeEmpty()
  run.writer.close()
  expect([keeper.kept.size, keeper.released]).toEqual([0, []])
  truncateSync(log, 0)
  expect(run.differences()).toEqual([])
})

test('a restore that continues after the close shows nothing', async () => {
  const { start } = await taken('late')
  const { run, keeper } = start()
  const [candidate] = run.directory.candidates(0).snapshots
  const restoring = restoreSnapshot(run.fixture.map, candidate!)
  run.writer.close()
  expect(await restoring).toBeUndefined()
  expect([keeper.kept.size, keeper.released, keeper.shown]).toEqual([0, [], []])
})

test('segments are read if their memory is not kept', async () => {
  const { start } = await taken('refused')
  const { run, keeper } = start(new RecordingKeeper(true))
  const { position } = await run.restore()
  expect([run.directory.mapped.all, keeper.released]).toEqual([[], []])
  await run.replay(position)
  expect(run.differences()).toEqual([])
  run.writer.close()
})

test('a log that cannot be read to its end is not used, and the process continues', async () => {
  const { start, log } = await taken('unreadable')
  // The file has its length when it is looked at, and not when it is read.
  const shrinking: Disk = {
    ...systemDisk,
    open(path, how) {
      const file = systemDisk.open(path, how)
      const length = file.length()
      return {
        length: () => length,
        show: (memory, position) => {
          if (path === log && how === 'read') truncateSync(path, 0)
          return file.show(memory, position)
        },
        read: (target, position) => file.read(target, position),
        write: (source, position) => file.write(source, position),
        truncate: (size) => file.truncate(size),
        sync: () => file.sync(),
        close: () => file.close(),
      }
    },
  }
  const { run, keeper } = start(new RecordingKeeper(), shrinking)
  expect(await run.restore()).toMatchObject({
    generation: 0,
    faults: [{ reason: 'unreadable', message: expect.stringContaining('EIO') }],
  })
  expect([keeper.kept.size, keeper.released]).toEqual([0, []])
  expect(run.fixture.map.stats(0)).toMatchObject({ entries: 0, totalBytes: 0 })
  run.writer.close()
})
