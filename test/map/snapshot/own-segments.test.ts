import { expect, test } from 'bun:test'
import { MappedSegments } from '../../../lib/map/snapshot/mapped-segments.ts'
import { ownSegments } from '../../../lib/map/snapshot/own-segments.ts'
import type { FromSnapshotThread } from '../../../lib/map/snapshot/snapshot-job.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { RecordingKeeper } from '../../support/map/snapshot/recording-keeper.ts'

const segmentBytes = 1 << 20

test('small segments are read, and those beyond a number', async () => {
  const shown = async (mapped: MappedSegments, bytes: number) => {
    const { snapshots } = createFixture({ segmentBytes: bytes, slabBytes: 8 * bytes }).map
    const state = { number: 0, used: 8, run: 1, sealed: true, liveBytes: 8, allowance: 12 }
    return mapped.show(snapshots, 0, snapshots.addSegment(0, state), 8, () => true)
  }
  const mapped = new MappedSegments(new RecordingKeeper(), 2)
  expect(await shown(mapped, segmentBytes / 2)).toBe(false)
  for (const is of [true, true, false]) expect(await shown(mapped, segmentBytes)).toBe(is)
  expect(await shown(new MappedSegments(undefined), segmentBytes)).toBe(false)
})

test('memory that cannot be copied is a failure', () => {
  const messages: FromSnapshotThread[] = []
  const segment = { number: 0, partition: 0, buffer: new SharedArrayBuffer(64), byteOffset: 8, length: 8 }
  ownSegments({ kind: 'own', segments: [segment] }, (message) => messages.push(message))
  expect(messages).toMatchObject([{ kind: 'failed', failure: { reason: 'memory' } }])
})
