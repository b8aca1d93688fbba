/** The waits of a publish, one at a time; concurrency.test.ts has them all at once. */
import { expect, test } from 'bun:test'
import { ChiralMap, ChiralMapReaders, type MapMessage, type Reader } from '../../../lib/map/index.ts'
import { epochWord } from '../../../lib/map/memory/control.ts'
import { publishesWaitingMax } from '../../../lib/map/memory/limits.ts'
import { createFixture, putEntry, smallSegmentBytes } from '../../support/map/map-pair.ts'

/** Epoch of the second reader, which no fixture uses: odd while it is inside. */
function setOtherEpoch(map: ChiralMap, epoch: number): void {
  Atomics.store(new Int32Array(map.shared.control), epochWord(1), epoch)
}

async function eventsPass(): Promise<void> {
  for (let i = 0; i < 5; i++) await Bun.sleep(1)
}

test('a publish waits when a reader is inside, and frees nothing before it has left', async () => {
  const { map, put, text, openAll } = createFixture()
  put(0, 'a', 'one')
  await openAll()
  setOtherEpoch(map, 1)
  for (let i = 0; i < 200; i++) put(0, 'a', `${i}`.padEnd(100))
  const { liveBytes } = map.stats(0)
  let resolved = false
  const publish = map.publish().then((count) => {
    resolved = true
    return count
  })
  await eventsPass()
  expect(resolved).toBe(false)
  // The swap has happened: others see the new side. What the one inside may read is still there.
  expect(text('a')).toStartWith('199 ')
  expect(map.stats(0).liveBytes).toBe(liveBytes)
  setOtherEpoch(map, 2)
  expect(await publish).toBe(200)
  expect(map.stats(0).liveBytes).toBeLessThan(liveBytes)
})

test('the number of waiting publishes is bounded, and the next one is refused until one has ended', async () => {
  const { map, put, openAll } = createFixture()
  await openAll()
  setOtherEpoch(map, 1)
  put(0, 'a', 'one')
  const waiting = Array.from({ length: publishesWaitingMax }, () => map.publish())
  const refused = map.publish().catch((error: unknown) => error)
  setOtherEpoch(map, 2)
  expect(await refused).toMatchObject({ code: 'flush_timed_out' })
  const counts = await Promise.all(waiting)
  expect(counts.reduce((sum, count) => sum + count)).toBe(1)
  expect(await map.publish()).toBe(0)
})

test('a publish does not wait for a reader that left and entered again', async () => {
  const { map, put, openAll } = createFixture()
  await openAll()
  setOtherEpoch(map, 1)
  put(0, 'a', 'one')
  const publish = map.publish()
  await eventsPass()
  setOtherEpoch(map, 3)
  expect(await publish).toBe(1)
})

test('a publish does not swap before new memory is confirmed', async () => {
  const messages: MapMessage[] = []
  const map = new ChiralMap({
    partitions: [0],
    partitionCount: 1,
    initialCapacity: 0,
    readersMax: 1,
    readerThreads: 1,
    segmentBytes: smallSegmentBytes,
    announce: (message) => messages.push(message),
  })
  const readers = new ChiralMapReaders(map.shared, 0)
  const reader = readers.acquire() as Reader
  map.open(0)
  putEntry(map, 0, 'a', 'one')
  let resolved = false
  const publish = map.publish().then(() => (resolved = true))
  await eventsPass()
  expect(resolved).toBe(false)
  for (const message of messages.splice(0)) readers.receive(message)
  // Received is not enough while it is not confirmed.
  await eventsPass()
  expect(reader.get(Buffer.from('a'))).toBeUndefined()
  map.confirmed(0, readers.version)
  await publish
  expect(reader.get(Buffer.from('a'))).toBeDefined()
})

test('a confirmation is refused when it names a version that was not announced', () => {
  const { map } = createFixture()
  expect(() => map.confirmed(0, 1000)).toThrow('confirm a map version: thread 0 confirmed 1000')
  expect(() => map.confirmed(3, 0)).toThrow('thread 3')
  expect(() => map.confirmed(0, Number.NaN)).toThrow('NaN')
})

test('a publish continues where the previous one failed when a reader did not leave', async () => {
  let failures = 0
  class StuckMap extends ChiralMap {
    protected override awaitReaders(): Promise<void> {
      return failures-- > 0 ? Promise.reject(new Error('a reader is stuck')) : super.awaitReaders()
    }
  }
  const map = new StuckMap({
    partitions: [0],
    partitionCount: 1,
    initialCapacity: 0,
    readersMax: 1,
    readerThreads: 1,
    segmentBytes: smallSegmentBytes,
    announce: (message) => map.confirmed(0, readers.receive(message)),
  })
  const readers = new ChiralMapReaders(map.shared, 0)
  const reader = readers.acquire() as Reader
  map.open(0)
  putEntry(map, 0, 'a', 'one')
  failures = 2
  await expect(map.publish()).rejects.toThrow('a reader is stuck')
  putEntry(map, 0, 'a', 'two')
  await expect(map.publish()).rejects.toThrow('a reader is stuck')
  expect(Buffer.from(reader.get(Buffer.from('a'))!.value).toString()).toBe('one')
  expect(await map.publish()).toBe(1)
  expect(Buffer.from(reader.get(Buffer.from('a'))!.value).toString()).toBe('two')
  expect(map.stats(0)).toMatchObject({ entries: 1, liveBytes: 32 })
  expect(map.oplogLength).toBe(0)
})
