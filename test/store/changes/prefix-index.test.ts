import { expect, test } from 'bun:test'
import { type PrefixEntry, PrefixIndex } from '../../../lib/store/changes/prefix-index.ts'
import { Random } from '../../support/random.ts'

function all<T>(entry: PrefixEntry<T> | undefined): T[] {
  return entry === undefined ? [] : [...entry.values, ...all(entry.parent)]
}

test('finds exactly the prefixes of a key', () => {
  const random = Random.of('prefix index')
  const bytes = (most: number) =>
    Uint8Array.from({ length: random.below(most + 1) }, () => [0, 97, 98, 255][random.below(4)]!)
  for (let round = 0; round < 300; round++) {
    const prefixes = Array.from({ length: random.below(30) }, () => bytes(5))
    const index = new PrefixIndex(prefixes, (prefix) => prefix)
    for (let tries = 0; tries < 20; tries++) {
      const key = bytes(7)
      const found = all(index.find(key, 0, key.length))
      const begins = prefixes.filter((prefix) => Buffer.compare(prefix, key.subarray(0, prefix.length)) === 0)
      expect(found.toSorted(Buffer.compare)).toEqual(begins.toSorted(Buffer.compare))
    }
  }
})

test('the key is within other bytes', () => {
  const index = new PrefixIndex(['', 'ab', 'b', 'bc'], (text) => Buffer.from(text))
  expect(all(index.find(Buffer.from('xxbcxx'), 2, 2))).toEqual(['bc', 'b', ''])
  expect(all(index.find(Buffer.from('xxbcxx'), 2, 1))).toEqual(['b', ''])
  expect(all(index.find(Buffer.from('xxbcxx'), 2, 0))).toEqual([''])
})

test('a thousand prefixes cost a key no comparison with each', () => {
  const prefixes = Array.from({ length: 1_000 }, (_, index) => Buffer.from(`user-${index}-`))
  const index = new PrefixIndex(prefixes, (prefix) => prefix)
  let reads = 0
  const key = new Proxy(Buffer.from('user-777-orders'), {
    get: (target, property) => {
      reads++
      return Reflect.get(target, property, target) as unknown
    },
  })
  expect(all(index.find(key, 0, 15))).toEqual([prefixes[777]!])
  expect(reads).toBeLessThan(300)
})
