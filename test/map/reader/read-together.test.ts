/** Reading several maps at one instant, one interleaving at a time; multi-map.test.ts has them all at once. */
import { expect, test } from 'bun:test'
import type { MapEntry, Reader } from '../../../lib/map/index.ts'
import { type EnteringReader, readTogether } from '../../../lib/map/reader/read-together.ts'
import { createFixture, type Fixture } from '../../support/map/map-pair.ts'
import { until } from '../../support/until.ts'

const key = Buffer.from('key')

async function createMaps(count: number): Promise<{ maps: Fixture[]; readers: Reader[] }> {
  const maps = Array.from({ length: count }, () => createFixture())
  for (const { openAll, put, map } of maps) {
    await openAll()
    put(0, 'key', '0', 0)
    await map.publish()
  }
  return { maps, readers: maps.map(({ readers }) => readers.acquire() as Reader) }
}

function offsetsOf(readers: readonly Reader[]): number[] {
  return readers.map((reader) => (reader.find(key, Number.POSITIVE_INFINITY) as MapEntry).offset)
}

function exchangesOf({ map }: Fixture): number {
  return new Int32Array(map.shared.control)[0]!
}

/** A reader that has entered before, and that the others only join. */
function entered(reader: Reader): EnteringReader {
  return {
    enter: () => {},
    turn: () => reader.turn(),
    leave: () => reader.leave(),
    get exchanges() {
      return reader.exchanges
    },
  }
}

test('all maps show one instant when two are published between the first enter and the last', async () => {
  const { maps, readers } = await createMaps(2)
  const [first, second] = maps as [Fixture, Fixture]
  readers[0]!.enter()
  expect(offsetsOf([readers[0]!])).toEqual([0])
  // The first map before the second: no instant has the new value of the second and the old one of the first.
  first.put(0, 'key', '1', 1)
  const before = exchangesOf(first)
  const publish = first.map.publish()
  await until('the sides of the first are exchanged', () => exchangesOf(first) > before)
  second.put(0, 'key', '1', 1)
  await second.map.publish()
  const seen = readTogether([entered(readers[0]!), readers[1]!], () => offsetsOf(readers))
  expect(seen).toEqual([1, 1])
  expect(await publish).toBe(1)
})

test('the counters are loaded until no map has moved since the round before', () => {
  const rounds = [
    [false, true],
    [true, false],
    [false, false],
  ]
  const loads = [0, 0]
  const scripted = loads.map((_, map) => ({
    enter: () => {},
    turn: () => rounds[loads[map]!++]![map]!,
    leave: () => {},
    exchanges: 1,
  }))
  expect(readTogether(scripted, (exchanges) => exchanges)).toBe(2)
  expect(loads).toEqual([3, 3])
})

test('a map changes neither side when its reader has turned to the new one, until the reader leaves', async () => {
  const { maps, readers } = await createMaps(1)
  const [{ map, put }] = maps as [Fixture]
  const reader = readers[0]!
  reader.enter()
  put(0, 'key', '1', 1)
  const before = exchangesOf(maps[0]!)
  const publish = map.publish()
  await until('the sides are exchanged', () => exchangesOf(maps[0]!) > before)
  put(0, 'key', '2', 2)
  const next = map.publish()
  expect(offsetsOf([reader])).toEqual([0])
  expect(reader.turn()).toBe(true)
  for (let i = 0; i < 5; i++) {
    await Bun.sleep(1)
    expect(reader.turn()).toBe(false)
    expect(offsetsOf([reader])).toEqual([1])
  }
  reader.leave()
  expect(await Promise.all([publish, next])).toEqual([1, 1])
  expect(readTogether([reader], () => offsetsOf([reader]))).toEqual([2])
})

test('all maps are left when reading fails, and those that were entered when one cannot be', async () => {
  const { maps, readers } = await createMaps(2)
  const fail = () => {
    throw new Error('no')
  }
  expect(() => readTogether(readers, fail)).toThrow('no')
  maps[1]!.readers.release(readers[1]!)
  expect(() => readTogether(readers, () => 0)).toThrow('enter the map: the reader has been released')
  for (const { map, put } of maps) {
    put(0, 'key', '1', 1)
    expect(await map.publish()).toBe(1)
  }
})

test('the sum of the exchanges rises when any map is published', async () => {
  const { maps, readers } = await createMaps(2)
  const sum = () => readTogether(readers, (exchanges) => exchanges)
  const start = sum()
  for (let i = 1; i <= 10; i++) {
    maps[i % 2]!.put(0, 'key', `${i}`, i)
    await maps[i % 2]!.map.publish()
    expect(sum()).toBe(start + i)
  }
})
