/** What becomes visible with which publish: positions and changes, and who learns of it. */
import { afterEach, describe, expect, test } from 'bun:test'
import type { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import { Changes } from '../../../lib/store-thread/changes/changes.ts'
import { ReplicaTrail } from '../../../lib/store-thread/changes/replica-trail.ts'
import { RingCursor } from '../../../lib/store/changes/ring-cursor.ts'
import { FakeChangelog } from '../../support/store/fake-changelog.ts'

const open: Changes[] = []
afterEach(() => {
  for (const changes of open.splice(0)) changes.stop()
})

function start() {
  const stats = new Stats([0, 1])
  const posted: FromThread[] = []
  const flushes: (() => void)[] = []
  const flush = () => {
    changes.began()
    return new Promise<void>((resolve) => {
      flushes.push(() => {
        changes.ended(1)
        resolve()
      })
    })
  }
  const failed = (error: unknown) => {
    throw error
  }
  const changes: Changes = new Changes(stats, {
    bytes: 1 << 20,
    topicId: () => 'topic',
    log: new FakeChangelog(),
    post: (message) => void posted.push(message),
    flush,
    failed,
  })
  open.push(changes)
  const publish = (operations = 1) => {
    changes.began()
    return () => changes.ended(operations)
  }
  const visible = () => [0, 1].map((partition) => stats.gauge(partition, 'visible'))
  const follow = async (thread = 0) => {
    changes.watch(thread, 'keys')
    flushes.shift()?.()
    await Promise.resolve()
    await Promise.resolve()
    const answer = posted.findLast(({ type }) => type === 'watching') as FromThread & { type: 'watching' }
    return { cursor: new RingCursor(answer.following!.ring), positions: answer.following!.positions }
  }
  return { stats, changes, posted, flushes, publish, visible, follow }
}

/** Applies a batch of one record, as ingest does. */
function apply(changes: Changes, partition: number, baseOffset: number, key: string, source = baseOffset): void {
  const trail = changes.recorder.trailOf(partition, baseOffset)
  const data = Buffer.from(key)
  const record = { data, offset: 0, keyStart: 0, keyLength: data.length, valueLength: 1 }
  trail?.note(record as unknown as RecordBatchReader, source)
  if (baseOffset >= 0) changes.recorder.reached(partition, baseOffset + 1)
  else changes.recorder.lost(partition)
}

function keysOf(cursor: RingCursor, from = 0): string[] {
  const keys: string[] = []
  cursor.open(from, cursor.published)
  while (cursor.next()) keys.push(cursor.data.toString('utf8', cursor.keyStart, cursor.keyStart + cursor.keyLength))
  return keys
}

describe('positions', () => {
  test('become visible with the publish that began after them', () => {
    const { changes, publish, visible } = start()
    changes.positions.noteSource(0, 10)
    const end = publish()
    changes.positions.noteSource(0, 20)
    changes.positions.noteSource(1, 5)
    expect(visible()).toEqual([-1, -1])
    end()
    expect(visible()).toEqual([10, -1])
    publish()()
    expect(visible()).toEqual([20, 5])
  })

  test('are posted to the threads that watch, if something became visible', () => {
    const { changes, publish, posted } = start()
    changes.positions.noteSource(0, 10)
    publish()()
    changes.watch(2, 'positions')
    expect(posted).toEqual([{ type: 'watching', readerThread: 2 }])
    publish(0)()
    expect(posted).toHaveLength(1)
    changes.positions.noteSource(0, 11)
    publish(0)()
    expect(posted.at(-1)).toEqual({ type: 'published', readerThreads: [2] })
    changes.watch(2, 'nothing')
    publish()()
    expect(posted).toHaveLength(2)
  })
})

describe('recorded changes', () => {
  test('nothing is recorded before a thread follows', () => {
    const { changes } = start()
    expect(changes.recorder.trailOf(0, 0)).toBeUndefined()
  })

  test('a thread that begins to follow gets all changes that it did not find in the map', async () => {
    const { changes, publish, follow, flushes, posted } = start()
    apply(changes, 0, 7, 'before')
    changes.watch(0, 'keys')
    // Put after the ring began, and after the flush that makes earlier records visible.
    apply(changes, 0, 8, 'after')
    expect(posted).toEqual([])
    flushes.shift()!()
    await Promise.resolve()
    const { cursor, positions } = await follow()
    expect(positions).toEqual([8, -1])
    expect(keysOf(cursor)).toEqual([])
    const end = publish()
    apply(changes, 0, 9, 'later')
    end()
    expect(keysOf(cursor)).toEqual(['after'])
    publish()()
    expect(keysOf(cursor)).toEqual(['after', 'later'])
  })

  test('a batch whose place is not known leaves no floor, until one is known', async () => {
    const { changes, publish, follow } = start()
    apply(changes, 0, 7, 'first')
    const { cursor } = await follow()
    apply(changes, 0, -1, 'somewhere')
    publish()()
    cursor.open(0, cursor.published)
    expect(cursor.next()).toBe(true)
    expect(cursor.changelogOffset).toBe(-1)
    expect(changes.positions.changelog[0]).toBe(8)
    apply(changes, 0, 9, 'known')
    expect(changes.positions.changelog[0]).toBe(10)
  })
})

test('a replica reaches the highest src or aft since the last discard', () => {
  const trail = new ReplicaTrail()
  const note = (source: number, after = -1) =>
    trail.note({ afterOffset: () => after } as unknown as RecordBatchReader, source)
  expect(trail.position).toBe(-1)
  note(-1)
  expect(trail.position).toBe(-1)
  note(4)
  note(2)
  expect(trail.position).toBe(5)
  note(-1, 6)
  expect(trail.position).toBe(7)
  note(-2)
  expect(trail.position).toBe(-1)
})

test('a partition that was served and is filled again is counted', () => {
  const stats = new Stats([0])
  for (const state of ['recovering', 'running', 'repairing', 'fenced'] as const) setPartitionState(stats, 0, state)
  expect(stats.gauge(0, 'refills')).toBe(-1)
  setPartitionState(stats, 0, 'rebuilding')
  setPartitionState(stats, 0, 'recovering')
  expect(stats.gauge(0, 'refills')).toBe(1)
})
