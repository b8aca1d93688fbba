/**
 * The order of the accesses to the control words. A wrong one shows in threads once in many millions of reads, so the
 * accesses themselves are observed.
 */
import { expect, test } from 'bun:test'
import { type Reader, readTogether } from '../../../lib/map/index.ts'
import { epochWord } from '../../../lib/map/memory/control.ts'
import { createFixture } from '../../support/map/map-pair.ts'

const exchangesWord = 0

/** Calls `read` and returns whether the reader's epoch was odd at each load of the number of exchanges. */
function insideAtLoads(control: SharedArrayBuffer, epoch: number, read: () => void): boolean[] {
  const words = new Int32Array(control)
  const inside: boolean[] = []
  const { load } = Atomics
  Atomics.load = ((array: Int32Array, word: number) => {
    if (array.buffer === control && word === exchangesWord) inside.push((words[epochWord(epoch)]! & 1) === 1)
    return load(array, word)
  }) as typeof Atomics.load
  try {
    read()
  } finally {
    Atomics.load = load
  }
  return inside
}

test('the epoch of a lookup is odd when it loads the number of exchanges, and even afterwards', async () => {
  const { map, get, put, openAll } = createFixture({ readersMax: 1 })
  await openAll()
  put(0, 'key', 'value')
  await map.publish()
  const { control } = map.shared
  expect(insideAtLoads(control, 0, () => void get('key'))).toEqual([true])
  expect(new Int32Array(control)[epochWord(0)]! & 1).toBe(0)
})

test('the epoch of each map is odd when a reader of several maps loads the number of exchanges, once more at the end', async () => {
  const fixtures = [createFixture(), createFixture()]
  for (const { openAll } of fixtures) await openAll()
  const readers = fixtures.map(({ readers: pool }) => pool.acquire() as Reader)
  const controls = fixtures.map(({ map }) => map.shared.control)
  for (const [index, control] of controls.entries()) {
    const inside = insideAtLoads(control, 0, () => readTogether(readers, () => index))
    // Once at its enter, and once more after all others have entered.
    expect(inside).toEqual([true, true])
  }
})
