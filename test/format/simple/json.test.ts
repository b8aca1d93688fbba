import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { jsonCodec } from '../../../lib/format/simple/json.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

test('one value has one text: RFC 8785’s own example', () => {
  const json =
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
  const canonical =
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
  expect(new TextDecoder().decode(jsonCodec.encode(jsonCodec.fromText(json)))).toBe(canonical)
})

test('a byte order mark before JSON is skipped, one within it is kept', () => {
  expect(jsonCodec.decode(bytesOf('\uFEFF{"a":"\uFEFF"}'))).toEqual({ a: '\uFEFF' })
  expect(() => jsonCodec.decode(bytesOf('\uFEFF\uFEFF{}'))).toThrow('it is not JSON')
})

test('members are in the order of UTF-16 units: RFC 8785’s own example', () => {
  const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
  const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33']
  const text = jsonCodec.toText(Object.fromEntries(names.map((name) => [name, 0])))
  expect([...text.matchAll(/"((?:[^"\\]|\\.)*)":0/g)].map(([, name]) => JSON.parse(`"${name}"`))).toEqual(sorted)
})

test('whole numbers that a double would change become strings, and nothing else does', () => {
  const text =
    '{"id":9007199254740993,"n":[-12345678901234567890,9007199254740991],"f":0.1234567890123456,"e":1e20,"s":"9007199254740993 \\" 9007199254740993","9007199254740993":1}'
  expect(jsonCodec.fromText(text)).toEqual({
    id: '9007199254740993',
    n: ['-12345678901234567890', 9007199254740991],
    f: 0.1234567890123456,
    e: 1e20,
    s: '9007199254740993 " 9007199254740993',
    '9007199254740993': 1,
  })
})

describe('whole numbers that a double would change are found beside', () => {
  const large = '9007199254740993'
  const strings = {
    'a string longer than a loop of the engine’s patterns may go round': 'x'.repeat(3_000_000),
    'one full of what is escaped': '\\"\\\\'.repeat(500_000),
    'one that ends with what is escaped': 'x\\\\',
    'one that holds such numbers': `${large},-${large} \\"${large}\\": ${large}`,
    'one of none': '',
  }
  test.each(Object.entries(strings))('%s', (_, text) => {
    const string = JSON.parse(`"${text}"`) as string
    const source = `[${large},"${text}",-${large},{"${text}":${large}}, 1.${large}, 1e-${large},${large}.5]`
    expect(jsonCodec.fromText(source)).toEqual([
      large,
      string,
      `-${large}`,
      { [string]: large },
      Number(`1.${large}`),
      0,
      Number(`${large}.5`),
    ])
  })

  test('any values', () => {
    const changed = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
    const number = fc.oneof(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    )
    const piece = fc.oneof(
      number.map(String),
      fc.string().map((string) => JSON.stringify(string)),
      fc.constantFrom('1E5', '10000000000000000e-3', '-0.00000000000000001'),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = `[${pieces.join(' , ')}]`
        const expected = text.replace(changed, (token) =>
          /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
        )
        expect(jsonCodec.fromText(text)).toEqual(JSON.parse(expected))
      }),
      { numRuns: 2_000 },
    )
  })
})

test('an infinite number from JSON.parse is not encoded as null', () => {
  expect(() => jsonCodec.encode(jsonCodec.decode(bytesOf('[1e400]')))).toThrow('not finite')
})

test('a member called __proto__ is an ordinary member', () => {
  const decoded = jsonCodec.decode(bytesOf('{"__proto__":{"a":1}}'))
  expect(jsonCodec.toText(decoded)).toBe('{"__proto__":{"a":1}}')
})

test('sorting the members does not change the value itself', () => {
  const value = { a: { y: 1, x: [{ d: 1, c: 2 }, 3] }, b: { 10: 1, 9: 2, x: 3 }, c: [] }
  const before = JSON.stringify(value)
  expect(jsonCodec.toText(value)).toBe('{"a":{"x":[{"c":2,"d":1},3],"y":1},"b":{"10":1,"9":2,"x":3},"c":[]}')
  expect(jsonCodec.toText({ z: 1, y: { b: 1, a: 2 } })).toBe('{"y":{"a":2,"b":1},"z":1}')
  expect(JSON.stringify(value)).toBe(before)
})

test('depth is bounded where it would cost stack', () => {
  const deep = jsonCodec.decode(bytesOf('['.repeat(500_000) + ']'.repeat(500_000)))
  expect(() => jsonCodec.encode(deep)).toThrow('it must be nested at most 1000 deep')
})
