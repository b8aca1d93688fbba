/** Random operations on partitions that come and go, against plain Maps. */
import { expect, test } from 'bun:test'
import { createFixture, createRandom, smallSegmentBytes, smallSlabBytes } from '../support/map/map-pair.ts'

type Contents = Map<string, Buffer>

interface Life {
  /** What was put; undefined while the partition is not held. */
  put: Contents | undefined
  /** What a lookup has to find. */
  shown: Contents
  /** Takes part in the next publish. */
  isOpened: boolean
}

const partitions = [0, 1, 2, 3]
const keysMax = 120

async function run(seed: number): Promise<void> {
  const random = createRandom(seed)
  const held = partitions.filter(() => random(2) === 0)
  const fixture = createFixture({
    partitions,
    held,
    partitionCount: 4,
    initialCapacity: random(500),
    bytesMax: 32 << 20,
  })
  const { map } = fixture
  const lives: Life[] = partitions.map((partition) => ({
    put: held.includes(partition) ? new Map() : undefined,
    shown: new Map(),
    isOpened: false,
  }))
  const putRandom = (partition: number, life: Life) => {
    const key = `${partition} ${random(keysMax)}`
    if (random(5) === 0) {
      fixture.put(partition, key, null)
      life.put!.delete(key)
      return
    }
    const kind = random(100)
    const bytes = random(kind < 95 ? 300 : kind < 99 ? 3 * smallSegmentBytes : 2 * smallSlabBytes)
    const value = Buffer.alloc(bytes, `${key} ${random(1e9)}`)
    fixture.put(partition, key, value)
    life.put!.set(key, value)
  }
  const change = (partition: number, life: Life) => {
    if (life.put === undefined) {
      if (map.holds(partition)) throw new Error(`partition ${partition} is held`)
      return
    }
    for (let i = random(200); i > 0; i--) putRandom(partition, life)
    const kind = random(6)
    if (kind === 0) {
      map.remove(partition)
      life.put = undefined
      life.isOpened = false
    } else if (kind < 3 && !life.isOpened) {
      map.open(partition)
      life.isOpened = true
    }
  }
  const expectShown = () => {
    for (const [partition, { shown }] of lives.entries()) {
      for (let number = 0; number < keysMax; number++) {
        const key = `${partition} ${number}`
        const found = fixture.get(key)
        const expected = shown.get(key)
        const isSame =
          expected === undefined ? found === undefined : found !== undefined && expected.equals(found.value)
        if (!isSame) throw new Error(`seed ${seed}, ${key}: ${found?.value.length} bytes, not ${expected?.length}`)
      }
    }
  }
  for (let round = 0; round < 40; round++) {
    for (const [partition, life] of lives.entries()) change(partition, life)
    expectShown()
    const shown = lives.map((life) => new Map(life.isOpened ? life.put : undefined))
    const publishing = map.publish()
    // What is put, opened and removed during a publish belongs to the next one.
    if (random(2) === 0) for (const [partition, life] of lives.entries()) change(partition, life)
    await publishing
    for (const [partition, life] of lives.entries()) life.shown = shown[partition]!
    expectShown()
    if (random(3) === 0) await map.publish().then(() => sync())
    for (const [partition, life] of lives.entries()) {
      if (life.put !== undefined || random(2) === 0 || !isAbsent(partition)) continue
      life.put = new Map()
    }
  }
  function sync(): void {
    for (const life of lives) life.shown = new Map(life.isOpened ? life.put : undefined)
    expectShown()
  }
  /** Adds a partition if it has left. */
  function isAbsent(partition: number): boolean {
    try {
      map.add(partition)
      return true
    } catch (error) {
      expect(String(error)).toContain('it is leaving')
      return false
    }
  }
  for (const [partition, { put }] of lives.entries()) if (put !== undefined) map.remove(partition)
  await map.publish()
  // Every segment that was ever in use is free.
  const { usedBytes, openingBytes, growthBytes } = map.memory
  expect({ openingBytes, growthBytes }).toEqual({ openingBytes: 0, growthBytes: 0 })
  expect(usedBytes).toBeLessThan(1 << 20)
}

for (let seed = 0; seed < 30; seed++) {
  test(`partitions that come and go agree with plain Maps, seed ${seed}`, () => run(seed))
}
