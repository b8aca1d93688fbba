import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Glob, GlobTooCostly } from '../../lib/resp/glob.ts'

function matches(pattern: string, text: string): boolean {
  return new Glob(Buffer.from(pattern)).matches(Buffer.from(text))
}

describe('patterns match as in Redis', () => {
  test.each([
    ['*', '', true],
    ['*', 'a', true],
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['user:*', 'user:1', true],
    ['user:*', 'users', false],
    ['*:1', 'user:1', true],
    ['*:1', 'user:12', false],
    ['a*b*c', 'a1b2b3c', true],
    ['a*b*c', 'a1c2b', false],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h[ae]llo', 'hallo', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-c]llo', 'hbllo', true],
    ['h[c-a]llo', 'hbllo', true],
    ['h[a-c]llo', 'hdllo', false],
    ['[a-]', '_', true],
    [String.raw`a\*`, 'a*', true],
    [String.raw`a\*`, 'ab', false],
    [String.raw`[\]]`, ']', true],
    ['[abc', 'b', true],
    ['[abc', 'd', false],
    ['a\\', 'a\\', true],
    ['**a**', 'xax', true],
  ])('%j and %j: %p', (pattern, text, isMatch) => {
    expect(matches(pattern, text)).toBe(isMatch)
  })
})

test('patterns of stars and letters match what a regular expression of them matches', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
  const texts = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 })
  fc.assert(
    fc.property(letters, texts, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      expect(matches(pattern, text)).toBe(expression.test(text))
    }),
    { numRuns: 5_000 },
  )
})

test('any pattern is compared, and its prefix is that of every match', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ maxLength: 12 }), (pattern, text) => {
      const glob = new Glob(pattern)
      if (glob.matches(text)) expect(Buffer.from(text).indexOf(glob.prefix)).toBe(0)
    }),
    { numRuns: 5_000 },
  )
})

test('many stars cost no more than one, and what costs too much is refused', () => {
  const text = Buffer.from('a'.repeat(2_000))
  expect(new Glob(Buffer.from(`${'*a'.repeat(100)}b`)).matches(text)).toBe(false)
  expect(() => new Glob(Buffer.alloc(1_025))).toThrow(GlobTooCostly)
  const costly = new Glob(Buffer.from(`*${'a'.repeat(1_000)}b`))
  const long = Buffer.from('a'.repeat(100_000))
  expect(() => costly.matches(long)).toThrow(GlobTooCostly)
  costly.renew()
  expect(costly.matches(text.subarray(0, 500))).toBe(false)
})
