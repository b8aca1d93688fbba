import { expect, test } from 'bun:test'
import { Discarded } from '../../../lib/store-thread/reread/discarded.ts'

const entries: Record<string, number> = { a: 1, b: 5, c: 9, own: -1 }
const map = {
  has: (_: number, key: Uint8Array, start: number, length: number) =>
    Object.hasOwn(entries, Buffer.from(key.buffer, key.byteOffset + start, length).toString()),
  *keysByOffset(_: number, accepts: (offset: number) => boolean) {
    for (const [key, offset] of Object.entries(entries)) if (accepts(offset)) yield [{ key: Buffer.from(key), offset }]
  },
}

/** @param last after so many tombstones another turn begins */
function target(last = Number.POSITIVE_INFINITY) {
  const keys: string[] = []
  return {
    keys,
    get isOver() {
      return keys.length >= last
    },
    discard: async (key: Uint8Array) => void keys.push(Buffer.from(key).toString()),
  }
}

test('all keys are discarded, or those from a source offset on', async () => {
  const all = target()
  const whole = new Discarded(map, 0, undefined)
  await whole.write(all)
  expect([all.keys, whole.count, whole.keys.size, whole.isDone]).toEqual([['a', 'b', 'c', 'own'], 4, 0, true])
  const some = target()
  const part = new Discarded(map, 0, 5)
  await part.write(some)
  expect([some.keys, [...part.keys], part.isDone]).toEqual([['b', 'c'], ['b', 'c'], true])
})

test('a tombstone of an absent key marks a discard of nothing', async () => {
  const written = target()
  const discarded = new Discarded(map, 0, 100)
  await discarded.write(written)
  expect([written.keys, discarded.count, discarded.isDone]).toEqual([[''], 0, true])
})

test('an interrupted discard is repeated with all its keys', async () => {
  const discarded = new Discarded(map, 0, 5)
  await discarded.write(target(1))
  expect(discarded.isDone).toBeFalse()
  delete entries['b']
  await discarded.write(target())
  expect([[...discarded.keys], discarded.isDone]).toEqual([['b', 'c'], true])
})
