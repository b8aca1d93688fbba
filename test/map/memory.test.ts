/** The bound that lib/map/DESIGN.md states: totalBytes <= 1.5 x live, 3 x for large entries, and two segments. */
import { expect, test } from 'bun:test'
import { cleaningRoundBytes } from '../../lib/map/memory/limits.ts'
import { createFixture, createRandom, type Fixture, smallSegmentBytes } from '../support/map/map-pair.ts'

function expectWithinBound({ map }: Fixture, factor: number): void {
  const { liveBytes, totalBytes } = map.stats(0)
  expect(totalBytes).toBeLessThanOrEqual(factor * liveBytes + 2 * smallSegmentBytes)
}

const loads = [
  { name: 'bulk loading', live: false },
  { name: 'live', live: true },
]

for (const { name, live } of loads) {
  const settle = async (fixture: Fixture): Promise<void> => {
    if (live) await fixture.map.publish()
  }

  test(`a ${name} map stays within its bound when few keys are overwritten without end`, async () => {
    const fixture = createFixture({ bytesMax: 512 * 1024, initialCapacity: 100 })
    if (live) await fixture.openAll()
    for (let i = 0; i < 100_000; i++) {
      fixture.put(0, `key ${i % 7}`, ''.padEnd(150))
      if (i % 500 === 0) {
        await settle(fixture)
        expectWithinBound(fixture, 1.5)
      }
    }
  })

  test(`a ${name} map stays within its bound when one entry of each segment survives`, async () => {
    const fixture = createFixture({ bytesMax: 4 * 1024 * 1024, initialCapacity: 2000 })
    if (live) await fixture.openAll()
    for (let i = 0; i < 100_000; i++) {
      const key = i % 20 === 0 ? `stays ${(i / 20) % 1500}` : `goes ${i % 5}`
      fixture.put(0, key, ''.padEnd(150))
      if (i % 700 === 0) {
        await settle(fixture)
        expectWithinBound(fixture, 1.5)
      }
    }
  })

  test(`a ${name} map stays within its bound when keys are overwritten and deleted at random`, async () => {
    const fixture = createFixture({ bytesMax: 8 * 1024 * 1024, initialCapacity: 5000 })
    const random = createRandom(1)
    if (live) await fixture.openAll()
    for (let i = 0; i < 150_000; i++) {
      const phase = Math.floor(i / 30_000) % 2
      fixture.put(0, `key ${random(5000)}`, random(10) < (phase === 0 ? 1 : 8) ? null : ''.padEnd(random(400)))
      if (i % 1000 === 0) {
        await settle(fixture)
        expectWithinBound(fixture, 1.5)
      }
    }
  })

  test(`a ${name} map stays within its bound when small and large entries alternate`, async () => {
    const fixture = createFixture({ bytesMax: 16 * 1024 * 1024, initialCapacity: 5000 })
    const random = createRandom(2)
    if (live) await fixture.openAll()
    const sizes = [10, 500, 600, smallSegmentBytes * 0.55, smallSegmentBytes * 0.95, smallSegmentBytes * 1.01]
    for (let i = 0; i < 40_000; i++) {
      // Small ones first in a segment, then one that does not fit; most large ones die, the small ones stay.
      const large = i % 2 === 1
      const size = large ? sizes[random(sizes.length)]! : 10
      fixture.put(0, large ? `large ${random(40)}` : `small ${random(3000)}`, Buffer.alloc(size))
      if (i % 300 === 0) {
        await settle(fixture)
        expectWithinBound(fixture, 3)
      }
    }
  })
}

test('a live map stays within its bound when segments hold entries that wait for the next publish', async () => {
  const fixture = createFixture({ bytesMax: 4 * 1024 * 1024, initialCapacity: 2000 })
  await fixture.openAll()
  for (let round = 0; round < 500; round++) {
    for (let i = 0; i < 18; i++) fixture.put(0, `goes ${i % 2}`, ''.padEnd(150))
    const publishing = fixture.map.publish()
    // In the same segment as those above, which are dead by the time the cleaner comes; the rest seals it.
    fixture.put(0, `stays ${round}`, ''.padEnd(150))
    for (let i = 0; i < 20; i++) fixture.put(0, `goes ${i % 2}`, ''.padEnd(150))
    await publishing
  }
  await fixture.map.publish()
  expectWithinBound(fixture, 1.5)
})

test('a live map frees a segment when everything in it is dead before it is sealed', async () => {
  const fixture = createFixture({ bytesMax: 128 * 1024, initialCapacity: 100 })
  await fixture.openAll()
  for (let i = 0; i < 1000; i++) {
    fixture.put(0, 'more than half a segment', Buffer.alloc(2500))
    fixture.put(0, 'more than half a segment', null)
    await fixture.map.publish()
  }
  const { totalBytes, ...rest } = fixture.map.stats(0)
  expect(rest).toMatchObject({ entries: 0, liveBytes: 0 })
  expect(totalBytes).toBeLessThanOrEqual(smallSegmentBytes)
})

test('a map gives the memory of outgrown tables and huge entries to the log', async () => {
  // The tables grow to 16384 slots, 128 KiB a side; all that came before them is 128 KiB a side too, for which there is no room.
  const fixture = createFixture({ bytesMax: 1152 * 1024, slabBytes: 128 * 1024 })
  await fixture.openAll()
  for (let i = 0; i < 10_000; i++) {
    fixture.put(0, `${i}`, '')
    if (i % 1000 === 0) await fixture.map.publish()
  }
  await fixture.map.publish()
  for (let i = 0; i < 50; i++) {
    fixture.put(0, 'huge', Buffer.alloc(150_000, i))
    await fixture.map.publish()
    expect(fixture.get('huge')!.value[149_999]).toBe(i)
  }
  for (let i = 0; i < 10_000; i++) expect(fixture.get(`${i}`)).toBeDefined()
})

test('a map does not grow its tables when loading up to its initial capacity', async () => {
  const messages: string[] = []
  const fixture = createFixture({
    initialCapacity: 20_000,
    partitions: [0, 1, 2, 3],
    partitionCount: 4,
    segmentBytes: 1024 * 1024,
    slabBytes: 1024 * 1024,
    announce: ({ kind }) => messages.push(kind),
  })
  for (let i = 0; i < 20_000; i++) fixture.put(i % 4, `${i}`, '')
  expect(messages.filter((kind) => kind === 'table')).toEqual([])
  // Tables smaller than a segment are not in slabs: all slabs are for entries.
  expect(messages.length).toBeLessThanOrEqual(4)
})

test('a live map is cleaned in rounds of a bounded size, between which its thread does other things', async () => {
  const [segmentBytes, valueBytes, rewrites, keys] = [1 << 20, 64 << 10, 4, 640]
  const fixture = createFixture({ segmentBytes, slabBytes: 4 << 20, initialCapacity: 1000 })
  await fixture.openAll()
  // Each segment has one value in four that stays: 40 MiB live in 160 MiB.
  const value = Buffer.alloc(valueBytes)
  for (let i = 0; i < keys * rewrites; i++) {
    fixture.put(0, i % rewrites === 0 ? `stays ${i}` : 'goes', value)
  }
  const sizes = [fixture.map.stats(0).totalBytes]
  const sampling = new AbortController()
  const publishing = fixture.map.publish().finally(() => sampling.abort())
  while (!sampling.signal.aborted) {
    await new Promise((resolve) => setImmediate(resolve))
    sizes.push(fixture.map.stats(0).totalBytes)
  }
  await publishing
  const { liveBytes, totalBytes } = fixture.map.stats(0)
  expect(totalBytes).toBeLessThanOrEqual(1.5 * liveBytes + 2 * segmentBytes)
  // What a round moves is a quarter of what it empties.
  const freed = sizes.slice(1).map((size, i) => sizes[i]! - size)
  expect(Math.max(...freed)).toBeLessThanOrEqual(rewrites * cleaningRoundBytes)
})
