import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compactJson, depthMax } from '../../lib/http/compact-json.ts'
import { Random } from '../support/random.ts'

const encoder = new TextEncoder()
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined if the bytes are not JSON text. */
function compact(from: Uint8Array): string | undefined {
  const to = new Uint8Array(from.length + 2).fill(0x2e)
  const end = compactJson(from, to, 1)
  expect([to[0], to.at(-1)]).toEqual([0x2e, 0x2e])
  return end < 0 ? undefined : strict.decode(to.subarray(1, end))
}

const compactText = (text: string) => compact(encoder.encode(text))

/** What JSON.parse accepts, of bytes that are UTF-8. */
function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(strict.decode(bytes))
    return true
  } catch {
    return false
  }
}

describe('compactJson', () => {
  test.each([
    ['{ "a" : [ 1 , 2 ] ,\r\n\t"b" : { } }', '{"a":[1,2],"b":{}}'],
    [' "a  b\\" \\u00e4 \\n" ', '"a  b\\" \\u00e4 \\n"'],
    ['1.50', '1.50'],
    ['[1e400, -0, 12345678901234567890.10]', '[1e400,-0,12345678901234567890.10]'],
    ['{"a":1,"a":2}', '{"a":1,"a":2}'],
    [' true ', 'true'],
    ['[\n]', '[]'],
    ['"käse 😀 \u2028"', '"käse 😀 \u2028"'],
  ])('%j becomes %j', (text, expected) => {
    expect(compactText(text)).toBe(expected)
  })

  test.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    '{,}',
    '[,1]',
    '{"a"}',
    '{a:1}',
    '{1:1}',
    '[1 2]',
    '1 2',
    '"a" "b"',
    '01',
    '+1',
    '1.',
    '.5',
    '1e',
    '-',
    'tru',
    'truetrue',
    'nul',
    'NaN',
    '"\\x"',
    '"\\u12g4"',
    '"a',
    '"a\nb"',
    '"\u0000"',
    '[1}',
    '{"a":1]',
    ']',
    '\ufeff1',
    "'a'",
    '1//',
  ])('%j is refused', (text) => {
    expect(compactText(text)).toBeUndefined()
    expect(isJson(encoder.encode(text))).toBeFalse()
  })

  test.each([
    [[0x80]],
    [[0xc0, 0x80]],
    [[0xe0, 0x80, 0x80]],
    [[0xed, 0xa0, 0x80]],
    [[0xf4, 0x90, 0x80, 0x80]],
    [[0xf5, 0x80, 0x80, 0x80]],
    [[0xe2, 0x82]],
    [[0xff]],
  ])('a string of the bytes %p is refused', (bytes) => {
    expect(compact(new Uint8Array([0x22, ...bytes, 0x22]))).toBeUndefined()
  })

  test('the first and last characters of each length are kept', () => {
    const ends = [0x20, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xd7ff, 0xe000, 0xffff, 0x1_0000, 0x3_ffff, 0x10_ffff]
    for (const character of ends) {
      const text = `"${String.fromCodePoint(character)}"`
      expect(compactText(text)).toBe(text)
    }
  })

  test('depth is bounded', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(compactText(nested(depthMax))).toBe(nested(depthMax))
    expect(compactText(nested(depthMax + 1))).toBeUndefined()
    expect(compactText('['.repeat(100_000))).toBeUndefined()
  })

  test('any JSON keeps its content, and loses its white space', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.integer({ min: 0, max: 4 }), (text, indent) => {
        const json: unknown = JSON.parse(text)
        expect(compactText(JSON.stringify(json, null, indent))).toBe(JSON.stringify(json))
      }),
    )
  })

  test('bytes are accepted as JSON.parse accepts them, however they were changed', () => {
    const random = Random.of('compactJson')
    const sources = ['{"a":[1,-2.5e+3,"x\\u00e4\\n"],"b":{"c":null,"d":true}}', '["ä😀",false,[],{}]', '-0.5e-7']
    const bytes = encoder.encode('{}[]:,"\\ \n\t0123456789-+.eEtrufalsn/bx\u00e4\u0001')
    for (let round = 0; round < 100_000; round++) {
      const changed = [...encoder.encode(random.pick(sources))]
      for (let change = random.below(3); change >= 0; change--) {
        const at = random.below(changed.length)
        const byte = random.below(8) === 0 ? random.below(256) : random.pick([...bytes])
        changed.splice(at, random.below(2), ...(random.below(3) === 0 ? [] : [byte]))
      }
      const input = new Uint8Array(changed)
      const output = compact(input)
      expect({ input: [...input], isJson: output !== undefined }).toEqual({ input: changed, isJson: isJson(input) })
      if (output !== undefined) expect(JSON.parse(output)).toEqual(JSON.parse(strict.decode(input)))
    }
  })
})
