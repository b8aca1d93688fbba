import { describe, expect, test } from 'bun:test'
import { bytes, clock, count, duration, instant, milliseconds, short } from '../../lib/page/format.ts'

describe('figures', () => {
  test.each([
    [count(0), '0'],
    [count(1_234_567), '1,234,567'],
    [short(0.44), '0.44'],
    [short(845), '845'],
    [short(12_345), '12.3K'],
    [short(1_240_000), '1.24M'],
    [bytes(0), '0 B'],
    [bytes(1023), '1,020 B'],
    [bytes(1_035_000), '1,010 KiB'],
    [bytes(1024), '1 KiB'],
    [bytes(1_610_612_736), '1.5 GiB'],
    [bytes(2 ** 60), '1,050,000 TiB'],
    [duration(0), '0 s'],
    [duration(0.4), '0 s'],
    [duration(59.6), '1 min'],
    [duration(185), '3 min 5 s'],
    [duration(3_600), '1 h'],
    [duration(371_044), '4 d 7 h'],
    [milliseconds(0.084), '0.084 ms'],
    [milliseconds(12_345), '12,300 ms'],
    [instant(1_795_452_853_521), '2026-11-23 16:54:13.521'],
    [clock(1_795_452_853_521), '16:54:13'],
  ])('%s', (text, expected) => expect(text).toBe(expected))

  test('what is not known is a dash', () => {
    for (const text of [count, short, bytes, duration, milliseconds, instant, clock]) {
      expect([text(null), text(undefined), text(Number.NaN)]).toEqual(['–', '–', '–'])
    }
    expect([instant(-1), instant(1e300)]).toEqual(['–', '–'])
  })
})
