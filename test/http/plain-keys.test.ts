import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { keysOfBody } from '../../lib/http/key-list.ts'
import { plainKeysOf } from '../../lib/http/plain-keys.ts'

const keysMax = 4
const textsOf = (keys: readonly Uint8Array[] | undefined) => keys?.map((key) => Buffer.from(key).toString('utf8'))
const read = (body: string) => textsOf(plainKeysOf(Buffer.from(body), keysMax))

describe('plainKeysOf', () => {
  test.each([
    ['{"keys":["a"]}', ['a']],
    ['{"keys":["a","",  "b c"]}', ['a', '', 'b c']],
    [' {\n"keys" :\t[ "a" ,\r"b" ] } \n', ['a', 'b']],
    ['{"keys":["a]","{,:"]}', ['a]', '{,:']],
    ['{"keys":["1","2","3","4"]}', ['1', '2', '3', '4']],
  ])('%p is read', (body, keys) => {
    expect(read(body)).toEqual(keys)
  })

  test.each([
    '',
    '{',
    '{"keys"',
    '{"keys":[',
    '{"keys":["a',
    '{"keys":["a"',
    '{"keys":["a"]',
    '{"keys":["a",]}',
    '{"keys":["a"]}}',
    '{"keys":["a"] "b"}',
    '{"keys":["a" "b"]}',
    '{"keys":["a"],"limit":1}',
    '{"keys":[]}',
    '{"keys":[{"base64":"YQ=="}]}',
    '{"keyz":["a"]}',
    '["a"]',
    '{"keys":["\\u0061"]}',
    '{"keys":["ä"]}',
    '{"keys":["\n"]}',
    '\ufeff{"keys":["a"]}',
    '{"keys":["1","2","3","4","5"]}',
  ])('%p is left to JSON.parse', (body) => {
    expect(read(body)).toBeUndefined()
  })

  test('keys have memory of their own, also if the body is part of a buffer', () => {
    const body = Buffer.from('..{"keys":["a"]}')
    const keys = plainKeysOf(body.subarray(2), keysMax)
    body.fill(0)
    expect(textsOf(keys)).toEqual(['a'])
  })

  test('a changed body is never read in another way than by JSON.parse', () => {
    const bodies = fc.tuple(
      fc.array(fc.string(), { maxLength: keysMax }),
      fc.nat(),
      fc.constantFrom(...'"\\{}[]:, \nä'),
    )
    fc.assert(
      fc.property(bodies, ([keys, at, character]) => {
        const whole = JSON.stringify({ keys })
        const place = at % whole.length
        const changed = whole.slice(0, place) + character + whole.slice(place + 1)
        for (const body of [whole, changed]) {
          const found = read(body)
          if (found !== undefined) expect(JSON.parse(body)).toEqual({ keys: found })
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

test('keys of a body are those of its JSON, plain or not', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.constantFrom(0, 1), (keys, indent) => {
      const body = Buffer.from(JSON.stringify({ keys }, undefined, indent))
      expect(textsOf(keysOfBody(body).map(({ text }) => text))).toEqual(keys)
    }),
  )
})
