import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { etagOf, lastModifiedOf, matchesEtag } from '../../lib/http/etag.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'

const lookup: Lookup = { value: new Uint8Array([1, 2, 3]), partition: 1, offset: 2, timestamp: 3 }

function tagOf(change: Partial<Lookup> = {}): string {
  const changed = { ...lookup, ...change }
  return etagOf(changed, changed.value)
}

describe('etagOf', () => {
  test('the tag is quoted and the same when the lookup is the same', () => {
    expect(tagOf()).toMatch(/^"[\w.-]+"$/)
    expect(tagOf({ ...lookup })).toBe(tagOf())
  })

  test.each([{ partition: 2 }, { offset: 3 }, { timestamp: 4 }, { value: new Uint8Array([1, 2, 4]) }])(
    'the tag differs when %p differs',
    (change) => expect(tagOf(change)).not.toBe(tagOf()),
  )

  test('the tag is legal when offset and timestamp are unknown', () => {
    expect(tagOf({ offset: -1, timestamp: -1 })).toMatch(/^"1\.-1\.-1\.\w+"$/)
  })

  test('the tag differs between representations', () => {
    const tags = [etagOf(lookup, lookup.value), etagOf(lookup, 'shown'), etagOf(lookup, lookup.value, '.bytes')]
    expect(new Set(tags).size).toBe(3)
    for (const tag of tags) expect(tag).toMatch(/^"[\w.-]+"$/)
  })

  test('the tag is the same when the same text has another class', () => {
    const wide = 'h\u00e4 \u4e00'.slice(0, 3)
    expect(etagOf(lookup, wide)).toBe(etagOf(lookup, 'h\u00e4 '))
    expect(etagOf(lookup, wide)).toBe(etagOf(lookup, new TextEncoder().encode(wide)))
  })
})

describe('matchesEtag', () => {
  test.each([
    ['"a"', true],
    ['W/"a"', true],
    ['*', true],
    ['"b", "a"', true],
    ['"b",W/"a" , "c"', true],
    ['"b"', false],
    ['a', false],
    ['"A"', false],
    ['w/"a"', false],
    ['', false],
  ])('a tag is compared when If-None-Match is %p', (ifNoneMatch, expected) => {
    expect(matchesEtag(ifNoneMatch, '"a"')).toBe(expected)
  })
})

describe('lastModifiedOf', () => {
  test('the date is an HTTP date when the timestamp has milliseconds', () => {
    expect(lastModifiedOf(1_700_000_000_999)).toBe('Tue, 14 Nov 2023 22:13:20 GMT')
    expect(lastModifiedOf(0)).toBe('Thu, 01 Jan 1970 00:00:00 GMT')
  })

  test('the date is that of toUTCString when the timestamp is any of the past', () => {
    fc.assert(
      fc.property(fc.nat({ max: Date.now() }), (timestamp) => {
        expect(lastModifiedOf(timestamp)).toBe(new Date(timestamp).toUTCString())
      }),
    )
    for (let day = 0; day < 10_000; day++) lastModifiedOf(day * 86_400_000)
    expect(lastModifiedOf(86_399_999)).toBe('Thu, 01 Jan 1970 23:59:59 GMT')
    expect(lastModifiedOf(86_400_000)).toBe('Fri, 02 Jan 1970 00:00:00 GMT')
  })

  test('the date is now at most when the timestamp is in the future', () => {
    const before = Math.floor(Date.now() / 1000) * 1000
    const shown = Date.parse(lastModifiedOf(Number.MAX_SAFE_INTEGER))
    expect(shown).toBeGreaterThanOrEqual(before)
    expect(shown).toBeLessThanOrEqual(Date.now())
  })
})
