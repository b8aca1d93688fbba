import { expect, test } from 'bun:test'
import { discardOffset } from '../../../lib/store-thread/recovery/source-trail.ts'
import { repairFromMemory } from '../../../lib/store-thread/repair/from-memory.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { type Entry, logOf } from '../../support/store-thread/repair-setup.ts'

interface Options {
  /** What the changelog has beyond what it kept. */
  others?: Entry[]
  acknowledged?: number
  isRebuilt?: boolean
  overAfter?: number
}

/** What is written where the changelog still has `log`, and memory is `memory`. */
async function written(log: Entry[], memory: Entry[], options: Options = {}): Promise<string[]> {
  const { map, put, openAll } = createFixture()
  for (const [key, value, mark] of memory) put(0, key, value, typeof mark === 'number' ? mark : -1)
  await openAll()
  const lines: string[] = []
  const note = (what: string, key: Uint8Array) => void lines.push(`${what} ${Buffer.from(key).toString()}`)
  const target = {
    get isOver() {
      return lines.length >= (options.overAfter ?? Number.POSITIVE_INFINITY)
    },
    append: async (key: Uint8Array, after: number) => note(`write aft=${after}`, key),
    appendTombstone: async (key: Uint8Array, after: number) => note(`delete aft=${after}`, key),
  }
  const { acknowledged = 50, isRebuilt = false, others = [] } = options
  const input = {
    map,
    partition: 0,
    kept: () => logOf(...log),
    all: () => logOf(...log, ...others),
    acknowledged,
    isRebuilt,
    keysMax: 2,
  }
  const { records, tombstones } = await repairFromMemory(target, input)
  expect(records + tombstones).toBe(lines.length)
  return lines
}

const kept: Entry[] = [
  ['a', '1', 1],
  ['b', '2', 2],
  ['c', '3', 3],
]

test('a repair writes nothing where the changelog has all of memory', async () => {
  expect(await written(kept, kept)).toEqual([])
})

test('a repair writes what memory has of source offsets that the changelog does not reach, in their order', async () => {
  const memory: Entry[] = [...kept, ['z', '9', 9], ['d', '4', 4], ['b', '7', 7], ['y', '8', 8], ['e', '5', 5]]
  expect(await written(kept, memory)).toEqual(['d', 'e', 'b', 'y', 'z'].map((key) => `write aft=50 ${key}`))
})

test('a repair first deletes keys that only the changelog has, after the offset that the changelog reaches', async () => {
  const log: Entry[] = [...kept, ['gone', 'v', 4], ['back', 'v', 5], ['back', null, 6]]
  expect(await written(log, [...kept, ['d', '7', 7]])).toEqual(['delete aft=6 gone', 'write aft=50 d'])
})

test('a repair deletes what others have written where the log was lost', async () => {
  const others: Entry[] = [
    ['foreign', 'v', 90],
    ['a', 'v', 91],
  ]
  expect(await written(kept, [...kept, ['d', '4', 4]], { others })).toEqual(['delete aft=3 foreign', 'write aft=50 d'])
})

test('a repair writes what has no source offset last, after all that memory has', async () => {
  const memory: Entry[] = [['own', 'v'], ...kept, ['d', '4', 4]]
  expect(await written(kept, memory)).toEqual(['write aft=50 d', 'write aft=50 own'])
})

test('a repair continues after the offset that a record of the changelog follows', async () => {
  const log: Entry[] = [...kept, ['own', 'v', { aft: 6 }]]
  const memory: Entry[] = [...kept, ['b', '6', 6], ['d', '7', 7], ['own', 'v']]
  expect(await written(log, memory)).toEqual(['write aft=50 d', 'write aft=50 own'])
})

test('a repair writes all of memory where the changelog lost everything, or what was before a discard', async () => {
  const all = ['a', 'b', 'c'].map((key) => `write aft=50 ${key}`)
  expect(await written([], kept)).toEqual(all)
  expect(
    await written(
      [
        ['x', 'v', 90],
        ['x', null, discardOffset],
      ],
      kept,
    ),
  ).toEqual(all)
})

test('a repair writes all of memory where the source was being read again', async () => {
  const all = ['a', 'b', 'c'].map((key) => `write aft=50 ${key}`)
  expect(await written([['a', 'former', 40]], kept, { isRebuilt: true })).toEqual(all)
})

test('a repair of a changelog whose last repair was lost, too, writes what that had still to write', async () => {
  const log: Entry[] = [
    ['a', '1', 1],
    ['x', 'v', 9],
    ['b', '2', 2],
  ]
  expect(await written(log, [...kept, ['x', 'v', 9]])).toEqual(['write aft=50 c', 'write aft=50 x'])
})

test('a finished repair writes nothing more', async () => {
  expect(
    (
      await written(
        [
          ['x', 'v', 0],
          ['y', 'v', 0],
        ],
        kept,
        { overAfter: 2 },
      )
    ).length,
  ).toBe(2)
})
