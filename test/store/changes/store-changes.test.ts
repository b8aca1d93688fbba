/** Waiting for offsets and keys in a reading thread; the store thread is the test. */
import { describe, expect, test } from 'bun:test'
import type { LatchkeyError } from '../../../lib/errors.ts'
import { setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreState } from '../../../lib/store-protocol/status.ts'
import type { ToThread } from '../../../lib/store-protocol/thread-messages.ts'
import { ChangeRingWriter } from '../../../lib/store-thread/changes/ring-writer.ts'
import { StoreChanges } from '../../../lib/store/changes/store-changes.ts'
import { ThreadChanges } from '../../../lib/store/changes/thread-changes.ts'
import type { Store } from '../../../lib/store/store.ts'

function start() {
  const stats = new Stats([0, 1])
  const posted: ToThread[] = []
  const changes = new ThreadChanges(3, (message) => void posted.push(message))
  const thread = { state: 'running' as StoreState, changes }
  let state: StoreState = 'running'
  const threads = { all: [thread], stats, assignment: { partitionCount: 3 }, full: undefined as string | undefined }
  const reads = { id: 'orders' } as Store
  const waits = new StoreChanges({ reads, threads: () => threads, state: () => state, requireServing: () => {} })
  const positions = new Float64Array([0, 0])
  const ring = new ChangeRingWriter(1 << 16, [0, 1], positions)
  const receive = (message: Parameters<ThreadChanges['received']>[0]) => {
    if (changes.received(message)) waits.received(thread)
  }
  const answer = () =>
    receive({
      type: 'watching',
      readerThread: 3,
      following: { ring: ring.shared, at: ring.published, positions: [...positions], inexact: [], topicId: 'topic' },
    })
  const publish = (visible: Partial<Record<0 | 1, number>>, ...keys: string[]) => {
    for (const [partition, position] of Object.entries(visible)) stats.setGauge(Number(partition), 'visible', position)
    for (const key of keys) ring.append(0, 1, 1, Buffer.from(key), 0, Buffer.byteLength(key), false)
    ring.publish(ring.end)
    receive({ type: 'published', readerThreads: [3] })
  }
  for (const partition of [0, 1]) setPartitionState(stats, partition, 'running')
  const stop = () => {
    state = 'stopping'
    receive({ type: 'state', state })
    waits.stopped()
  }
  return { stats, posted, waits, ring, threads, receive, answer, publish, stop }
}

/** Begins a wait, and notes what it ends with. */
function begin(waits: StoreChanges, partition: number, offset: number): { with?: string; giveUp: () => void } {
  const over = Promise.withResolvers<void>()
  const seen: { with?: string; giveUp: () => void } = { giveUp: over.resolve }
  waits.waitFor(new Map([[partition, offset]]), over.promise).then(
    () => (seen.with = 'visible'),
    (error: LatchkeyError) => (seen.with = error.code),
  )
  return seen
}

const key = (text: string) => Buffer.from(text)
const turn = () => new Promise(setImmediate)

describe('waiting for an offset', () => {
  test('no wait is needed for what is visible', () => {
    const { waits, publish, posted } = start()
    publish({ 0: 10 })
    expect(waits.isVisible(new Map([[0, 9]]))).toBe(true)
    expect(posted).toEqual([])
  })

  test('a publish ends the waits that it reaches, and no others', async () => {
    const { waits, publish, posted } = start()
    publish({ 0: 10, 1: 10 })
    const seen = [12, 10, 11].map((offset) => begin(waits, 0, offset))
    const other = begin(waits, 1, 10)
    expect(posted).toEqual([{ type: 'watch', readerThread: 3, watching: 'positions' }])
    publish({ 0: 12 })
    await turn()
    expect(seen.map((one) => one.with)).toEqual([undefined, 'visible', 'visible'])
    expect(other.with).toBeUndefined()
    expect(waits.waiting).toBe(2)
    publish({ 0: 13 })
    await turn()
    expect(seen[0]!.with).toBe('visible')
  })

  test('what becomes visible before the store thread knows of the wait ends it with the answer', async () => {
    const { stats, waits, receive } = start()
    const seen = begin(waits, 0, 10)
    stats.setGauge(0, 'visible', 11)
    receive({ type: 'watching', readerThread: 3 })
    await turn()
    expect(seen.with).toBe('visible')
  })

  test('a wait that was given up is forgotten', async () => {
    const { waits, publish } = start()
    publish({ 0: 7 })
    const seen = begin(waits, 0, 10)
    expect(waits.waiting).toBe(1)
    seen.giveUp()
    await turn()
    expect(seen.with).toBe('not_yet_visible')
    expect(waits.waiting).toBe(0)
    publish({ 0: 11 })
  })

  test('a partition that another instance has taken ends its waits, except those it has reached', async () => {
    const { stats, waits, receive } = start()
    const reached = begin(waits, 0, 5)
    const beyond = begin(waits, 0, 6)
    const other = begin(waits, 1, 6)
    stats.setGauge(0, 'visible', 6)
    setPartitionState(stats, 0, 'fenced')
    receive({ type: 'fenced', partition: 0, reason: 'taken' })
    await turn()
    expect([reached.with, beyond.with, other.with]).toEqual(['visible', 'not_yet_visible', undefined])
    await expect(waits.waitFor(new Map([[0, 6]]), new Promise(() => {}))).rejects.toThrow(
      'another instance has taken it',
    )
    expect(waits.isVisible(new Map([[0, 5]]))).toBe(true)
  })

  test('it says how far each partition is visible, and whether the next flush is all that is missing', async () => {
    const { stats, waits } = start()
    const over = Promise.resolve()
    const error = (offsets: Record<number, number>) =>
      waits.waitFor(new Map(Object.entries(offsets).map(([p, offset]) => [Number(p), offset])), over).catch((e) => e)
    stats.setGauge(0, 'visible', 4)
    stats.setGauge(0, 'role', 0)
    stats.setGauge(0, 'position', 9)
    expect(await error({ 0: 8 })).toMatchObject({ details: { visibleTo: { 0: 4 }, awaitsFlush: true } })
    expect(await error({ 0: 9 })).toMatchObject({ details: { visibleTo: { 0: 4 }, awaitsFlush: false } })
    const { message, details } = await error({ 0: 3, 1: 8 })
    expect(details).toEqual({ visibleTo: { 1: null }, awaitsFlush: false })
    expect(message).toContain('partition 1 is visible up to no known offset, and 8 is asked for')
  })

  test('it names a memory that is full, if that is why the record is not read', async () => {
    const { stats, waits, threads } = start()
    threads.full = 'memory is full: 7 entries of 1 MiB, and 2 MiB are left. Nothing more is read until there is room'
    stats.setGauge(0, 'role', 0)
    stats.setGauge(0, 'position', 9)
    const error = (offset: number) => waits.waitFor(new Map([[0, offset]]), Promise.resolve()).catch((e) => e)
    const advice =
      "9 is asked for. The store's memory is full: 7 entries of 1 MiB, and 2 MiB are left. Nothing more is read until there is room. Raise MEMORY_MAX, or the limit of the control group that it follows, or hold fewer partitions here"
    expect((await error(9)).message).toContain(advice)
    expect((await error(8)).message).toContain('The next flush makes it visible')
  })

  test('partitions that do not exist, or that are not held, are refused', () => {
    const { waits } = start()
    expect(() => waits.isVisible(new Map([[3, 0]]))).toThrow('the topic has the partitions 0 to 2')
    expect(() => waits.isVisible(new Map([[2, 0]]))).toThrow('this instance does not hold it')
  })

  test('a store that stops ends all of them', async () => {
    const { waits, stop } = start()
    const seen = begin(waits, 0, 5)
    stop()
    await turn()
    expect(seen.with).toBe('stopping')
  })
})

describe('waiting for a key', () => {
  function follow(waits: StoreChanges, ...keys: string[]) {
    const calls = new Map(keys.map((name) => [name, 0]))
    const ends = keys.map((name) => waits.onChange(key(name), () => void calls.set(name, calls.get(name)! + 1)))
    return { calls: () => [...calls.values()], end: () => ends.forEach((end) => end()) }
  }

  test('a publish wakes the waits for the keys that it changed, once each', () => {
    const { waits, publish, answer } = start()
    const { calls } = follow(waits, 'a', 'b', 'ab')
    answer()
    expect(calls()).toEqual([1, 1, 1])
    publish({}, 'b', 'c', 'b', 'ba')
    expect(calls()).toEqual([1, 2, 1])
    publish({}, 'ab')
    expect(calls()).toEqual([1, 2, 2])
  })

  test('all are woken if the ring was overwritten, or misses a key', () => {
    const { waits, publish, answer, ring } = start()
    const { calls } = follow(waits, 'a', 'b')
    answer()
    for (let i = 0; ring.end < 1 << 17; i++) ring.append(0, 1, 1, key(`other ${i}`), 0, 7, false)
    publish({}, 'b')
    expect(calls()).toEqual([2, 2])
    ring.append(0, 1, 1, Buffer.alloc(4_096), 0, 4_096, false)
    publish({}, 'c')
    expect(calls()).toEqual([3, 3])
    publish({}, 'a')
    expect(calls()).toEqual([4, 3])
  })

  test('no callback runs after the end of a wait', () => {
    const { waits, publish, answer } = start()
    const { calls, end } = follow(waits, 'a')
    answer()
    end()
    end()
    expect(waits.waiting).toBe(0)
    publish({}, 'a')
    expect(calls()).toEqual([1])
  })

  test('all are called when the store stops', () => {
    const { waits, answer, stop } = start()
    const { calls } = follow(waits, 'a')
    answer()
    stop()
    expect(calls()).toEqual([2])
  })
})

test('all that begin to follow at the same time do, although other messages come first', async () => {
  const { waits, publish, answer } = start()
  const begun: number[] = []
  const followers = [1, 2, 3].map(async (number) => {
    const follower = await waits.follow({ from: 'now', withValues: true }, () => {})
    begun.push(number)
    return follower
  })
  publish({ 0: 1 })
  await turn()
  expect(begun).toEqual([])
  answer()
  await turn()
  expect(begun.toSorted()).toEqual([1, 2, 3])
  for (const follower of await Promise.all(followers)) follower.close()
})
