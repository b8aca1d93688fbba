import { describe, expect, test } from 'bun:test'
import { canonicalJson, type Json } from '../../../lib/format/index.ts'
import { isLongerThan, JsonTooLong } from '../../../lib/format/simple/json-length.ts'

describe('a text is longer than', () => {
  test.each<[Json, number]>([
    ['abc', 5],
    [['abc', 'de'], 11],
    [[[], []], 6],
    [{ name: 'abc' }, 14],
    [{ name: { inner: [] } }, 21],
    [[null, 7, true], 5],
  ])('%j, as far as it can be said without making it', (json, length) => {
    expect(isLongerThan(json, length)).toBe(false)
    expect(isLongerThan(json, length - 1)).toBe(true)
    expect(JSON.stringify(json).length).toBeGreaterThanOrEqual(length)
  })

  test('is known before all of it has been looked at', () => {
    let looked = 0
    const item = () => (looked++, 'abc')
    const items = Array.from({ length: 1_000 }, () => ({
      get name() {
        return item()
      },
    }))
    expect(isLongerThan(items, 100)).toBe(true)
    expect(looked).toBeLessThan(10)
  })
})

describe('a canonical text longer than 128 Mi characters is refused:', () => {
  const long = 'x'.repeat(1_000_000)
  const times = (item: Json) => Array.from({ length: 140 }, () => item)

  test.each<[string, Json]>([
    ['strings', times(long)],
    ['names in order', times({ [long]: 1 })],
    ['names out of order', times({ y: 1, [long]: 1 })],
    ['names like numbers', times({ 7: 1, [long]: 1 })],
  ])('%s', (_, json) => {
    expect(() => canonicalJson(json)).toThrow(JsonTooLong)
  })
})
