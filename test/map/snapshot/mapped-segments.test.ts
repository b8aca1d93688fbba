/** Large segments are restored by showing the log file in memory, until they are independent of it. */
import { afterAll, expect, test } from 'bun:test'
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { discardSnapshot, restoreSnapshot } from '../../../lib/map/index.ts'
import { MappedSegments } from '../../../lib/map/snapshot/mapped-segments.ts'
import { ownSegments } from '../../../lib/map/snapshot/own-segments.ts'
import type { FromSnapshotThread } from '../../../lib/map/snapshot/snapshot-job.ts'
import { systemDisk } from '../../../lib/map/snapshot/system-disk.ts'
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
  return {
    run,
    start: () => new SnapshotRun(systemDisk, random, options, run.operations),
    log: join(options.folder, '0/log-1'),
  }
}

test('segments show the file, and independent of it when they are owned', async () => {
  const { start, log } = await taken('owned')
  const run = start()
  const { generation, position } = await run.restore()
  expect(generation).toBe(1)
  expect(run.directory.mapped.all.length).toBeGreaterThan(1)
  await run.replay(position)
  expect(run.differences()).toEqual([])
  // Overwrites free some of them, which is put off.
  run.put(40_000)
  await run.publish()
  expect(run.differences()).toEqual([])
  expect(await run.writer.own()).toBeUndefined()
  expect(run.directory.mapped.all).toEqual([])
  truncateSync(log, 0)
  expect(run.differences()).toEqual([])
  run.put(40_000)
  await run.publish()
  expect(run.differences()).toEqual([])
  run.writer.close()
})

test('a snapshot is taken after segments are owned, and restored', async () => {
  const { start } = await taken('taken', 2)
  let run = start()
  for (let round = 0; round < 3; round++) {
    const { generation, position, faults } = await run.restore()
    expect({ generation, faults }).toEqual({ generation: 2 + 2 * round, faults: [] })
    await run.replay(position)
    for (let i = 0; i < 2; i++) {
      run.put(5000)
      expect(await run.take()).toMatchObject({ kind: 'taken' })
      expect(run.directory.mapped.all).toEqual([])
    }
    expect(run.differences()).not.toBeEmpty()
    await run.publish()
    expect(run.differences()).toEqual([])
    run.writer.close()
    const next = start()
    next.operations.push(...run.operations.slice(next.operations.length))
    run = next
  }
})

test.each(['cut off', 'a bit is flipped'])(
  'a log of which %s is damage: the partition is empty again',
  async (damage) => {
    const { start, log } = await taken(damage)
    const bytes = readFileSync(log)
    if (damage === 'cut off') truncateSync(log, 3 * segmentBytes)
    else {
      bytes[2 * segmentBytes + 1000]! ^= 4
      writeFileSync(log, bytes)
    }
    const run = start()
    expect(await run.restore()).toMatchObject({ generation: 0, faults: [{ reason: 'damaged' }] })
    expect(run.directory.mapped.all).toEqual([])
    expect(run.fixture.map.stats(0)).toMatchObject({ entries: 0, totalBytes: 0 })
    truncateSync(log, 0)
    await run.replay(0)
    expect(run.differences()).toEqual([])
    run.writer.close()
  },
)

test('a snapshot that was restored can be discarded', async () => {
  const { start, log } = await taken('discarded')
  const run = start()
  const [candidate] = run.directory.candidates(0).snapshots
  expect(await restoreSnapshot(run.fixture.map, candidate!)).toBeUndefined()
  discardSnapshot(run.fixture.map, candidate!)
  expect(run.directory.mapped.all).toEqual([])
  truncateSync(log, 0)
  await run.replay(0)
  expect(run.differences()).toEqual([])
  expect(await run.take()).toMatchObject({ kind: 'taken', generation: 2 })
  run.writer.close()
})

test('small segments are read, and those beyond a number', async () => {
  const { start } = await taken('many')
  const { snapshots } = start().fixture.map
  const mapped = new MappedSegments(2)
  expect([mapped.accepts(segmentBytes / 2), mapped.accepts(segmentBytes)]).toEqual([false, true])
  for (let i = 0; i < 2; i++) {
    const state = { number: i, used: 8, run: 1, sealed: true, liveBytes: 8, allowance: 12 }
    mapped.add(snapshots, 0, snapshots.addSegment(0, state), 8)
  }
  expect(mapped.accepts(segmentBytes)).toBe(false)
})

test('memory that cannot be copied is a failure', () => {
  const messages: FromSnapshotThread[] = []
  const segment = { number: 0, partition: 0, buffer: new SharedArrayBuffer(64), byteOffset: 8, length: 8 }
  ownSegments({ kind: 'own', segments: [segment] }, (message) => messages.push(message))
  expect(messages).toMatchObject([{ kind: 'failed', failure: { reason: 'memory' } }])
})
