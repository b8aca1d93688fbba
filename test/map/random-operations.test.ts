/** Random operations against a plain Map, which is the oracle: over growth, cleaning, deletes, publishes, huge values. */
import { expect, test } from 'bun:test'
import {
  createFixture,
  createRandom,
  type Fixture,
  smallSegmentBytes,
  smallSlabBytes,
} from '../support/map/map-pair.ts'

interface Expected {
  readonly value: Buffer
  readonly partition: number
  readonly offset: number
}

type Contents = Map<string, Expected>

const partitions = [0, 2, 3]
const sizeKinds = [
  { share: 70, bytesMax: 60 },
  { share: 94, bytesMax: 400 },
  { share: 98, bytesMax: smallSegmentBytes },
  { share: 99.7, bytesMax: 3 * smallSegmentBytes },
  { share: 100, bytesMax: 2 * smallSlabBytes },
] as const

/** 'pending' is what has been put, 'published' what a lookup has to show. */
function putRandom(
  fixture: Fixture,
  random: (end: number) => number,
  keysMax: number,
  pending: Contents,
  offset: number,
) {
  const number = random(keysMax)
  const key = number % 17 === 0 ? `a long key that repeats ${number} `.repeat(8) : `key ${number}`
  const partition = partitions[number % partitions.length]!
  if (random(4) === 0) {
    fixture.put(partition, key, null, offset)
    pending.delete(key)
    return
  }
  const kind = random(1000) / 10
  const { bytesMax } = sizeKinds.find(({ share }) => kind < share)!
  const value = Buffer.alloc(random(bytesMax), `${key} ${offset} `)
  fixture.put(partition, key, value, offset)
  pending.set(key, { value, partition, offset })
}

function expectSame({ map, get }: Fixture, published: Contents, keysMax: number): void {
  for (let number = 0; number < keysMax; number++) {
    for (const key of [`key ${number}`, `a long key that repeats ${number} `.repeat(8)]) {
      const expected = published.get(key)
      const found = get(key)
      if (expected === undefined) {
        if (found !== undefined) throw new Error(`${key}: found at offset ${found.offset}, it is deleted`)
        continue
      }
      if (found === undefined) throw new Error(`${key}: not found, is at offset ${expected.offset}`)
      if (
        found.offset !== expected.offset ||
        found.partition !== expected.partition ||
        !expected.value.equals(found.value)
      ) {
        throw new Error(`${key}: found offset ${found.offset}, is at ${expected.offset}`)
      }
    }
  }
  let keys = 0
  for (const partition of partitions) {
    for (const key of map.keys(partition)) {
      keys++
      if (!published.has(Buffer.from(key).toString())) throw new Error(`keys(): ${Buffer.from(key)} is deleted`)
    }
  }
  expect(keys).toBe(published.size)
}

function expectAccounted({ map }: Fixture, published: Contents): void {
  let entries = 0
  let liveBytes = 0
  for (const partition of partitions) {
    const stats = map.stats(partition)
    entries += stats.entries
    liveBytes += stats.liveBytes
    expect(stats.totalBytes).toBeGreaterThanOrEqual(stats.liveBytes)
  }
  let expectedBytes = 0
  for (const [key, { value }] of published) expectedBytes += (24 + Buffer.byteLength(key) + value.length + 7) & ~7
  expect({ entries, liveBytes }).toEqual({ entries: published.size, liveBytes: expectedBytes })
}

async function run(seed: number): Promise<void> {
  const random = createRandom(seed)
  const keysMax = [5, 60, 700, 4000][seed % 4]!
  const fixture = createFixture({ partitions, partitionCount: 4, initialCapacity: random(3000) })
  const pending: Contents = new Map()
  let offset = 0
  const bulk = random(3 * keysMax)
  for (let i = 0; i < bulk; i++) putRandom(fixture, random, keysMax, pending, offset++)
  expectAccounted(fixture, pending)
  await fixture.openAll()
  expectSame(fixture, pending, keysMax)
  for (let round = 0; round < 12; round++) {
    const operations = random(keysMax * (1 + random(3)))
    for (let i = 0; i < operations; i++) putRandom(fixture, random, keysMax, pending, offset++)
    const published: Contents = new Map(pending)
    const publishing = fixture.map.publish()
    // Puts while a publish and its cleaning are under way must neither show nor be lost.
    const meanwhile = random(50)
    for (let i = 0; i < meanwhile; i++) {
      putRandom(fixture, random, keysMax, pending, offset++)
      if (i % 10 === 0) await Promise.resolve()
    }
    await publishing
    expectSame(fixture, published, keysMax)
  }
  await fixture.map.publish()
  expectSame(fixture, pending, keysMax)
  expectAccounted(fixture, pending)
}

for (let seed = 0; seed < 24; seed++) {
  test(`a map agrees with a plain Map when operations are random, seed ${seed}`, () => run(seed))
}

test('a map agrees with a plain Map when operations are random, seed from the clock', async () => {
  const seed = Date.now() % 2 ** 31
  console.log(`random operations: seed ${seed}`)
  await run(seed)
})
