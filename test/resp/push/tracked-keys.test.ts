import { expect, test } from 'bun:test'
import { TrackedKeys } from '../../../lib/resp/push/tracked-keys.ts'
import { Random } from '../../support/random.ts'

class Reader {
  readonly forgotten: string[] = []

  forget(key: string): void {
    this.forgotten.push(key)
  }
}

test('each reader of a key forgets it once, at its next change', () => {
  const random = Random.of('tracked keys')
  let count = 0
  const tracked = new TrackedKeys({ threads: 1, counted: (added) => void (count += added) })
  const readers = Array.from({ length: 20 }, () => ({ reader: new Reader(), keys: new Set<string>() }))
  for (let step = 0; step < 20_000; step++) {
    const { reader, keys } = random.pick(readers)
    const key = `key ${random.below(200)}`
    const seed = `LATCHKEY_SEED=${random.seed} in step ${step}`
    switch (random.below(40)) {
      case 0:
        tracked.removeReader(reader)
        keys.clear()
        break
      case 1:
        if (random.below(20) > 0) break
        tracked.clear()
        for (const one of readers) one.keys.clear()
        break
      default:
        if (random.below(3) > 0) {
          tracked.add(key, reader)
          keys.add(key)
          break
        }
        tracked.changed(key)
        for (const one of readers) {
          expect(one.reader.forgotten.splice(0), seed).toEqual(one.keys.delete(key) ? [key] : [])
        }
    }
    expect(count, seed).toBe(readers.reduce((sum, one) => sum + one.keys.size, 0))
    const bytes = Buffer.from(`..${key}..`)
    if (readers.some((one) => one.keys.has(key))) expect(tracked.mayHave(bytes, 2, key.length), seed).toBe(true)
  }
})

test('beyond its part of the bound, a thread forgets the oldest keys', () => {
  let count = 0
  // Of 1,000,000.
  const tracked = new TrackedKeys({ threads: 10_000, counted: (added) => void (count += added) })
  const reader = new Reader()
  for (let number = 0; number < 100; number++) tracked.add(`key ${number}`, reader)
  expect(reader.forgotten).toEqual([])
  tracked.changed('key 1')
  reader.forgotten.length = 0
  for (let number = 100; number < 104; number++) tracked.add(`key ${number}`, reader)
  expect(reader.forgotten).toEqual(['key 0', 'key 2', 'key 3'])
  for (let number = 200; number < 300_000; number++) tracked.add(`key ${number}`, reader)
  expect(tracked.size).toBe(100)
  expect(count).toBe(100)
  expect(reader.forgotten.at(-1)).toBe('key 299899')
})

test('the bytes of the keys have a bound', () => {
  const tracked = new TrackedKeys({ threads: 1, counted: () => {} })
  const reader = new Reader()
  const long = 'x'.repeat(1_000_000)
  for (let number = 0; number < 100; number++) tracked.add(`${number} ${long}`, reader)
  expect(tracked.size).toBe(67)
  expect(reader.forgotten).toHaveLength(33)
})
