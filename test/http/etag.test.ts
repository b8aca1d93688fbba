import { describe, expect, test } from 'bun:test'
import { etagOf, lastModifiedOf, matchesEtag } from '../../lib/http/etag.ts'
import type { Lookup } from '../../lib/store/contract/status.ts'

const lookup: Lookup = { value: new Uint8Array([1, 2, 3]), partition: 1, offset: 2, timestamp: 3 }

describe('etagOf', () => {
  test('the tag is quoted and the same when the lookup is the same', () => {
    expect(etagOf(lookup)).toMatch(/^"[\w.-]+"$/)
    expect(etagOf({ ...lookup })).toBe(etagOf(lookup))
  })

  test.each([{ partition: 2 }, { offset: 3 }, { timestamp: 4 }, { value: new Uint8Array([1, 2, 4]) }])(
    'the tag is another when %p is',
    (change) => expect(etagOf({ ...lookup, ...change })).not.toBe(etagOf(lookup)),
  )

  test('the tag is legal when offset and timestamp are unknown', () => {
    expect(etagOf({ ...lookup, offset: -1, timestamp: -1 })).toMatch(/^"1\.-1\.-1\.\w+"$/)
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

  test('the date is now at most when the timestamp is in the future', () => {
    const before = Math.floor(Date.now() / 1000) * 1000
    const shown = Date.parse(lastModifiedOf(Number.MAX_SAFE_INTEGER))
    expect(shown).toBeGreaterThanOrEqual(before)
    expect(shown).toBeLessThanOrEqual(Date.now())
  })
})
