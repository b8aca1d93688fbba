/** Segments that show the log file in memory until they are independent of it: which may. */
import { afterAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
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

async function taken(name: string) {
  const random = Random.of(name)
  const options = { ...map, folder: join(folder, name) }
  const run = new SnapshotRun(systemDisk, random, options)
  await run.fixture.openAll()
  run.put(25_000)
  expect(await run.take()).toMatchObject({ kind: 'taken' })
  run.put(1000)
  run.writer.close()
  return {
    start: () => new SnapshotRun(systemDisk, random, options, run.operations),
  }
}

test('small segments are read, and those beyond a number', async () => {
  const { start } = await taken('many')
  const { snapshots } = start().fixture.map
  expect(new MappedSegments().accepts(segmentBytes)).toBe(false)
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
