/** Partitions that come and go: what readers find, when memory is free, and what a return begins with. */
import { expect, test } from 'bun:test'
import { ChiralMap, ChiralMapReaders, type MapMessage, type Reader } from '../../lib/map/index.ts'
import { createFixture, putEntry, smallSegmentBytes, smallSlabBytes } from '../support/map/map-pair.ts'

const partitions = [0, 1, 2]
const layout = { partitions, partitionCount: 3 }

test('a removed partition is found until the next publish, and not after it', async () => {
  const fixture = createFixture(layout)
  const { map, put, text } = fixture
  for (const partition of partitions) put(partition, `key ${partition}`, 'value')
  await fixture.openAll()
  put(1, 'waits', 'value')
  map.remove(1)
  expect({ holds: map.holds(1), found: text('key 1') }).toEqual({ holds: false, found: 'value' })
  await map.publish()
  expect([text('key 0'), text('key 1'), text('waits'), text('key 2')]).toEqual(['value', undefined, undefined, 'value'])
  // The other side, too.
  put(0, 'key 0', 'newer')
  await map.publish()
  expect([text('key 0'), text('key 1')]).toEqual(['newer', undefined])
})

test('a partition starts empty when it is added again', async () => {
  const fixture = createFixture(layout)
  const { map, put, text } = fixture
  put(1, 'old', 'value')
  put(1, 'both', 'old')
  await fixture.openAll()
  map.remove(1)
  await map.publish()
  map.add(1)
  expect(map.stats(1)).toMatchObject({ entries: 0, liveBytes: 0, totalBytes: 0 })
  put(1, 'both', 'new')
  await map.publish()
  expect(text('both')).toBeUndefined()
  map.open(1)
  await map.publish()
  expect([text('old'), text('both'), map.stats(1).entries]).toEqual([undefined, 'new', 1])
})

test('a publish keeps a partition that is removed after its call', async () => {
  const fixture = createFixture(layout)
  const { map, put, text } = fixture
  put(1, 'key', 'value')
  await fixture.openAll()
  put(1, 'key', 'newer')
  const publishing = map.publish()
  map.remove(1)
  await publishing
  expect(text('key')).toBe('newer')
  await map.publish()
  expect(text('key')).toBeUndefined()
})

test('a partition is never shown when it is removed before the publish that would show it', async () => {
  const messages: MapMessage[] = []
  const map = new ChiralMap({
    ...layout,
    initialCapacity: 0,
    readersMax: 1,
    readerThreads: 1,
    announce: (message) => {
      messages.push(message)
      map.confirmed(0, message.version)
    },
  })
  putEntry(map, 1, 'key', 'value')
  map.open(1)
  putEntry(map, 1, 'key', 'newer')
  map.remove(1)
  await map.publish()
  expect(messages.filter(({ kind }) => kind === 'table')).toEqual([])
  map.add(1)
  expect(map.stats(1).entries).toBe(0)
})

test('a partition in bulk loading is absent at once when it is removed', () => {
  const { map, put } = createFixture(layout)
  put(1, 'key', 'value')
  map.remove(1)
  map.add(1)
  expect(map.stats(1)).toMatchObject({ entries: 0, totalBytes: 0 })
})

test('a map refuses operations on partitions that it does not hold', async () => {
  const fixture = createFixture({ ...layout, held: [0, 1] })
  const { map, put } = fixture
  map.open(1)
  await map.publish()
  map.remove(1)
  expect(() => put(1, 'key', 'value')).toThrow('find partition 1 in the map: it is leaving')
  expect(() => map.add(1)).toThrow('add partition 1 to the map: it is leaving')
  expect(() => put(2, 'key', 'value')).toThrow('find partition 2 in the map: it holds 0')
  expect(() => map.add(0)).toThrow('add partition 0 to the map: it is bulk')
  expect(() => map.add(3)).toThrow('add partition 3 to the map: the map was not made for it')
  expect(() => createFixture({ ...layout, held: [3] })).toThrow('held partitions are not among the partitions: 3')
})

test('memory is free when partitions have left, and does not grow with their returns', async () => {
  const fixture = createFixture({ ...layout, held: [], bytesMax: 1024 * 1024 })
  const { map, put } = fixture
  const fill = async () => {
    for (const partition of partitions) {
      map.add(partition)
      for (let i = 0; i < 800; i++) put(partition, `key ${partition} ${i}`, ''.padEnd(i % 200))
      put(partition, 'a run', Buffer.alloc(3 * smallSegmentBytes))
      map.open(partition)
    }
    await map.publish()
    for (const partition of partitions) for (let i = 0; i < 300; i++) put(partition, `key ${partition} ${i}`, 'x')
  }
  const leave = async () => {
    for (const partition of partitions) map.remove(partition)
    await map.publish()
  }
  await fill()
  await leave()
  const { usedBytes, freeBytes } = map.memory
  expect(freeBytes).toBeGreaterThan(400 * 1024)
  for (let cycle = 0; cycle < 30; cycle++) {
    await fill()
    await leave()
  }
  // Small tables and the oplog remain.
  expect(map.memory).toMatchObject({ usedBytes, openingBytes: 0, growthBytes: 0 })
  expect(map.memory.freeBytes).toBeLessThanOrEqual(1.5 * freeBytes)
})

test('a removal continues where it failed when a reader did not leave, and frees nothing before', async () => {
  class Impatient extends ChiralMap {
    leaves = true
    protected override awaitReaders(): Promise<void> {
      return this.leaves ? super.awaitReaders() : Promise.reject(new Error('a reader is inside'))
    }
  }
  const map: Impatient = new Impatient({
    ...layout,
    initialCapacity: 0,
    readersMax: 2,
    readerThreads: 1,
    segmentBytes: smallSegmentBytes,
    slabBytes: smallSlabBytes,
    announce: (message) => map.confirmed(0, readers.receive(message)),
  })
  const readers = new ChiralMapReaders(map.shared, 0)
  const reader = readers.acquire() as Reader
  for (const partition of partitions) {
    putEntry(map, partition, `key ${partition}`, 'value')
    map.open(partition)
  }
  await map.publish()
  const { freeBytes } = map.memory
  map.leaves = false
  map.remove(1)
  await expect(map.publish()).rejects.toThrow('a reader is inside')
  expect({ free: map.memory.freeBytes, found: reader.get(Buffer.from('key 1')) }).toEqual({
    free: freeBytes,
    found: undefined,
  })
  expect(() => map.add(1)).toThrow('it is leaving')
  map.leaves = true
  await map.publish()
  expect(map.memory.freeBytes).toBeGreaterThan(freeBytes)
  map.add(1)
})

test('a reader thread that starts late knows nothing of a partition that has left', async () => {
  const fixture = createFixture(layout)
  fixture.put(1, 'key', 'value')
  await fixture.openAll()
  const before = fixture.map.shared
  fixture.map.remove(1)
  await fixture.map.publish()
  const isOfPartition = (message: MapMessage) => message.kind === 'table' && message.partitionIndex === 1
  expect(before.messages.filter(isOfPartition)).toHaveLength(2)
  expect(fixture.map.shared.messages.filter(isOfPartition)).toHaveLength(0)
})

test('the count of entries leaves a removed partition out', async () => {
  const fixture = createFixture(layout)
  for (const partition of partitions) fixture.put(partition, `key ${partition}`, 'value')
  await fixture.openAll()
  const reader = fixture.readers.acquire() as Reader
  const count = () => {
    reader.enter()
    try {
      return reader.count()
    } finally {
      reader.leave()
    }
  }
  expect(count()).toBe(3)
  fixture.map.remove(1)
  await fixture.map.publish()
  expect(count()).toBe(2)
})

test('segments that a snapshot reads are free only after it, when their partition has left', async () => {
  const fixture = createFixture({ ...layout, held: [1] })
  const { map, put } = fixture
  for (let i = 0; i < 200; i++) put(1, `key ${i}`, ''.padEnd(100))
  map.open(1)
  await map.publish()
  const captured = await map.snapshots.capture(1, (bytes) => new Int32Array(bytes / 4))
  const bytesOf = () => captured.segments.map(({ buffer, byteOffset, used }) => Buffer.from(buffer, byteOffset, used))
  const before = bytesOf().map((bytes) => Bun.hash(bytes))
  map.remove(1)
  await map.publish()
  map.add(1)
  for (let i = 0; i < 400; i++) put(1, `other ${i}`, ''.padEnd(100, 'x'))
  expect(bytesOf().map((bytes) => Bun.hash(bytes))).toEqual(before)
  const { freeBytes } = map.memory
  for (const { number } of captured.segments) map.snapshots.unpin(number)
  expect(map.memory.freeBytes).toBe(freeBytes + captured.segments.length * smallSegmentBytes)
})

test('free segments are given back in slices, down to what is kept', async () => {
  const segmentBytes = 64 * 1024
  const fixture = createFixture({ ...layout, held: [1], segmentBytes, slabBytes: 4 * segmentBytes })
  const { map, put, text } = fixture
  for (let i = 0; i < 500; i++) put(1, `key ${i}`, ''.padEnd(1000))
  map.open(1)
  await map.publish()
  map.remove(1)
  await map.publish()
  const free = map.memory.freeBytes
  const release = (bytes: Uint8Array) => bytes.fill(0).length === segmentBytes
  const bounds = { keptBytes: 2 * segmentBytes, bytesMax: 3 * segmentBytes }
  const released: number[] = []
  for (;;) {
    const bytes = map.releaseFree(release, bounds)
    if (bytes === 0) break
    released.push(bytes)
  }
  expect(released.reduce((sum, bytes) => sum + bytes, 0)).toBe(free - 2 * segmentBytes)
  expect(Math.max(...released)).toBe(3 * segmentBytes)
  expect(map.memory.freeBytes).toBe(2 * segmentBytes)
  map.add(1)
  for (let i = 0; i < 500; i++) put(1, `key ${i}`, `value ${i}`)
  map.open(1)
  await map.publish()
  expect(text('key 499')).toBe('value 499')
})
