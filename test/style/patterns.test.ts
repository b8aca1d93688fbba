/** What comes from Kafka, HTTP or a registry has any length: a pattern for it takes time in proportion to the text. */
import { describe, expect, test } from 'bun:test'
import { patternsIn, whyNotLinear } from './patterns.ts'
import { read, sourceFiles } from './repository.ts'

/** Those that see nothing but short texts, each with what bounds them. */
const bounded: Readonly<Record<string, string>> = {
  "^(?:\\/(?!\\.|%2e)[\\w\\-.~!$&'()*+,;=:@%?]*)+$":
    'a request’s head has 16 KB at most; each round takes a slash, and nothing else does',
  '^\\/+|\\/+$': 'a setting',
  '\\/+$': 'a setting',
  "^Export named '(.+)' not found in module '(.+)'": 'the engine’s own message about a store module',
  '--rebuild|\\b[A-Z][A-Z_]+[A-Z]\\b': 'a fault of settings, which is our own text',
}

// Settings are the operator's own. Components of the page (.tsx) have markup and no patterns.
const files = sourceFiles().filter((path) => !path.startsWith('lib/config/') && path.endsWith('.ts'))
const patterns = files.flatMap((path) => patternsIn(read(path)).map((pattern) => ({ path, pattern })))

test('every pattern takes time in proportion to the text, or sees short texts only', () => {
  expect(patterns.length).toBeGreaterThan(40)
  const found = patterns
    .map(({ path, pattern }) => ({ path, source: pattern.source, why: whyNotLinear(pattern) }))
    .filter(({ source, why }) => why !== undefined && !Object.hasOwn(bounded, source))
  expect(found).toEqual([])
})

test('what is excepted is still there, and still not linear', () => {
  const loops = patterns.filter(({ pattern }) => whyNotLinear(pattern) !== undefined)
  const sources = new Set(loops.map(({ pattern }) => pattern.source))
  expect(Object.keys(bounded).filter((source) => !sources.has(source))).toEqual([])
})

describe('the check finds', () => {
  test.each([
    [/"(?:[^"\\]|\\.)*"/, 'it repeats a group'],
    [/^(a+)+$/, 'it repeats a group'],
    [/\s*"[^]*$/, 'it starts again within what it has repeated'],
    [/0+$/, 'it starts again within what it has repeated'],
    [/([^/\\()\s]+:\d+):\d+\)?$/, 'it starts again within what it has repeated'],
    [/^([\w-]+):[ \t]*([\t\x20-\x7e]*)$/, 'two repetitions can take the same'],
    [/^\s*at (?:.*? \()?(?:file:\/\/)?(\/.*?):(\d+):(\d+)\)?$/, 'two repetitions can take the same'],
    [/^\d+\.?\d+$/, 'two repetitions can take the same'],
  ])('%p', (pattern, why) => {
    expect(whyNotLinear(pattern)).toBe(why)
  })
})

describe('the check leaves', () => {
  test.each([
    /\s+/g,
    /\d{16,}/g,
    /^-?\d+$/,
    /^[\w-]+\/[\w-]+$/,
    /^(-?)(\d+)(?:\.(\d+))?$/,
    /:(\d+):(\d+)\)?$/,
    /^[A-Za-z0-9+/]*={0,2}$/,
    /\{(\w+)\}/,
  ])('%p', (pattern) => {
    expect(whyNotLinear(pattern)).toBeUndefined()
  })
})

test('patterns are found beside strings, comments and divisions', () => {
  const text = "a = b / c / d // it's /no/\n/* /no/ */ return /[/]x/g.test('/no/') ? /y/ : `/no/`"
  expect(patternsIn(text)).toEqual([/[/]x/g, /y/])
})
