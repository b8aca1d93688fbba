/** The lower bound while memory is short, and what a map says that it takes: lib/map/DESIGN.md, Memory. */
import { expect, test } from 'bun:test'
import { bulkTableNearlyFull, tableNearlyFull } from '../../lib/map/memory/limits.ts'
import { growthBytesFor } from '../../lib/map/writer/map-memory.ts'
import { createFixture, createRandom, type Fixture, smallSegmentBytes } from '../support/map/map-pair.ts'

function overwriteAtRandom({ put }: Fixture, valueBytes: number, keys: number, puts: number): void {
  const random = createRandom(3)
  const value = Buffer.alloc(valueBytes)
  for (let i = 0; i < puts; i++) put(0, `key ${random(keys)}`, value)
}

function expectWithin({ map }: Fixture, factor: number): void {
  const { liveBytes, totalBytes } = map.stats(0)
  expect(totalBytes).toBeLessThanOrEqual(factor * liveBytes + 2 * smallSegmentBytes)
}

for (const isLive of [false, true]) {
  const mode = isLive ? 'live' : 'bulk loading'
  const sizes = [
    { name: 'small', bytes: 150, factor: 1.15 },
    { name: 'large', bytes: Math.ceil(smallSegmentBytes * 0.55), factor: 2.3 },
  ]
  for (const { name, bytes, factor } of sizes) {
    test(`a ${mode} map stays within ${factor} times the live bytes of ${name} entries while memory is short`, async () => {
      const fixture = createFixture({ initialCapacity: 2000 })
      if (isLive) await fixture.openAll()
      fixture.map.setTight(true)
      for (let i = 0; i < 20; i++) {
        overwriteAtRandom(fixture, bytes, 300, 1000)
        if (isLive) await fixture.map.publish()
        expectWithin(fixture, factor)
      }
    })
  }

  test(`a ${mode} map reaches the lower bound without a put, and returns to the higher one`, async () => {
    const fixture = createFixture({ initialCapacity: 2000 })
    if (isLive) await fixture.openAll()
    const settle = async () => void (isLive && (await fixture.map.publish()))
    overwriteAtRandom(fixture, 150, 1000, 5000)
    await settle()
    const { liveBytes, totalBytes } = fixture.map.stats(0)
    expect(totalBytes).toBeGreaterThan(1.3 * liveBytes)
    fixture.map.setTight(true)
    await settle()
    expectWithin(fixture, 1.15)
    fixture.map.setTight(false)
    overwriteAtRandom(fixture, 150, 1000, 5000)
    await settle()
    expect(fixture.map.stats(0).totalBytes).toBeGreaterThan(1.3 * liveBytes)
  })
}

test('a map counts what it uses, and what it has freed and keeps', async () => {
  const fixture = createFixture({ initialCapacity: 2000 })
  const { usedBytes: atStart } = fixture.map.memory
  await fixture.openAll()
  const { indexBytes } = fixture.map.stats(0)
  for (let i = 0; i < 1000; i++) fixture.put(0, `key ${i}`, Buffer.alloc(150))
  await fixture.map.publish()
  const { usedBytes, freeBytes } = fixture.map.memory
  expect(usedBytes).toBe(atStart + indexBytes / 2 + fixture.map.stats(0).totalBytes)
  expect(freeBytes).toBe(0)
  for (let i = 0; i < 1000; i++) fixture.put(0, `key ${i}`, null)
  await fixture.map.publish()
  const after = fixture.map.memory
  expect(after.freeBytes).toBeGreaterThan(0.9 * usedBytes - indexBytes)
  // Freed segments are used before those that were never written.
  for (let i = 0; i < 800; i++) fixture.put(0, `key ${i}`, Buffer.alloc(150))
  await fixture.map.publish()
  const again = fixture.map.memory
  expect(again.freeBytes).toBeLessThan(0.5 * after.freeBytes)
  // More than before is only what the open segment had not been filled with yet.
  expect(again.usedBytes + again.freeBytes).toBeLessThan(after.usedBytes + after.freeBytes + smallSegmentBytes)
})

test('a map says what doubling a nearly full table will take, and takes no more', async () => {
  const fixture = createFixture({ segmentBytes: 1 << 16, slabBytes: 1 << 20 })
  await fixture.openAll()
  let keys = 0
  const fillTo = async (count: number) => {
    while (keys < count) fixture.put(0, `${keys++}`, '')
    await fixture.map.publish()
  }
  await fillTo(10_000) // of the 11,468 that 2^14 slots hold
  const { indexBytes } = fixture.map.stats(0)
  expect([fixture.map.memory.growthBytes, growthBytesFor(keys)]).toEqual([0, 0])
  await fillTo(Math.ceil(11_468 * tableNearlyFull))
  const before = fixture.map.memory
  expect(growthBytesFor(keys)).toBe(before.growthBytes)
  expect(before.growthBytes).toBe(2 * indexBytes)
  const { totalBytes } = fixture.map.stats(0)
  await fillTo(11_500)
  const after = fixture.map.memory
  expect(fixture.map.stats(0).indexBytes).toBe(2 * indexBytes)
  expect(after.growthBytes).toBe(0)
  const entriesBytes = fixture.map.stats(0).totalBytes - totalBytes
  const taken = after.usedBytes + after.freeBytes - before.usedBytes - before.freeBytes - entriesBytes
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThanOrEqual(before.growthBytes)
})

test('a map in bulk loading says what opening it will take, and no growth of a table that was reserved', () => {
  const fixture = createFixture({ segmentBytes: 1 << 16, slabBytes: 1 << 20 })
  fixture.map.reserve(0, 11_400) // of the 11,468 that 2^14 slots hold
  for (let i = 0; i < 11_400; i++) fixture.put(0, `${i}`, '')
  expect(11_400).toBeGreaterThan(11_468 * bulkTableNearlyFull)
  const { indexBytes } = fixture.map.stats(0)
  expect(fixture.map.memory).toMatchObject({ growthBytes: 0, openingBytes: indexBytes })
  fixture.put(0, 'one more', '')
  expect(fixture.map.memory).toMatchObject({ growthBytes: 4 * indexBytes, openingBytes: indexBytes })
  fixture.map.open(0)
  expect(fixture.map.memory.openingBytes).toBe(0)
})

test('a map that releases what is free counts it no more, and uses it again as if it were new', async () => {
  const segmentBytes = 1 << 16
  const fixture = createFixture({ segmentBytes, slabBytes: 1 << 20, initialCapacity: 100 })
  await fixture.openAll()
  const fill = async (letter: string) => {
    for (let i = 0; i < 1000; i++) fixture.put(0, `key ${i}`, letter.repeat(1000))
    await fixture.map.publish()
  }
  await fill('a')
  fixture.map.setTight(true)
  await fill('b')
  const before = fixture.map.memory
  expect(before.freeBytes).toBeGreaterThan(5 * segmentBytes)
  const released: number[] = []
  fixture.map.releaseFree((bytes) => {
    released.push(bytes.length)
    bytes.fill(0)
    return true
  })
  expect(released).toEqual(Array.from({ length: before.freeBytes / segmentBytes }, () => segmentBytes))
  expect(fixture.map.memory).toEqual({ ...before, freeBytes: 0 })
  await fill('c')
  // Tables that take these segments take them as zero.
  for (let i = 0; i < 20_000; i++) fixture.put(0, `more ${i}`, '')
  await fixture.map.publish()
  for (let i = 0; i < 1000; i++) expect(fixture.text(`key ${i}`)).toBe('c'.repeat(1000))
  for (let i = 0; i < 20_000; i++) expect(fixture.text(`more ${i}`)).toBe('')
})

test('a map keeps what is free when it cannot be released, or shares pages with its neighbours', async () => {
  for (const segmentBytes of [smallSegmentBytes, 1 << 16]) {
    const fixture = createFixture({ segmentBytes, slabBytes: 1 << 20 })
    await fixture.openAll()
    for (let i = 0; i < 500; i++) fixture.put(0, `key ${i}`, ''.padEnd(1000))
    for (let i = 0; i < 500; i++) fixture.put(0, `key ${i}`, null)
    await fixture.map.publish()
    const before = fixture.map.memory
    expect(before.freeBytes).toBeGreaterThan(0)
    fixture.map.releaseFree(() => segmentBytes < 1 << 16)
    expect(fixture.map.memory).toEqual(before)
  }
})

test('a map reaches the lower bound when every segment is mostly live', async () => {
  const fixture = createFixture({ initialCapacity: 6000 })
  await fixture.openAll()
  const value = Buffer.alloc(150)
  for (let i = 0; i < 5000; i++) fixture.put(0, `key ${i}`, value)
  await fixture.map.publish()
  // Each segment keeps four fifths, which is more than the usual allowance frees.
  for (let i = 0; i < 5000; i += 5) fixture.put(0, `key ${i}`, value)
  await fixture.map.publish()
  fixture.map.setTight(true)
  await fixture.map.publish()
  expectWithin(fixture, 1.15)
})
