import { expect, test } from 'bun:test'
import { canonicalJson, type Json, valueCodecOf } from '../../../lib/format/index.ts'
import { jsonText } from '../../../lib/format/simple/canonical-json.ts'

test.each([
  [new Date(0), 'Date'],
  [new Map(), 'Map'],
  [new Uint8Array(1), 'Uint8Array'],
  [Promise.resolve(), 'Promise'],
])('an object that JSON does not have is refused, and not made into an empty one: %p', (value, name) => {
  const canonical = () => canonicalJson({ a: [{ b: value as unknown as Json }] })
  expect(canonical).toThrow(`it must be JSON, and has an object that JSON does not have: ${name}`)
})

test('an object of a class is its fields', () => {
  class Point {
    y = 2
    x = 1
  }
  expect(canonicalJson(new Point() as unknown as Json)).toBe('{"x":1,"y":2}')
})

function nested(depth: number, wrap: (inner: Json) => Json): Json {
  let json: Json = 0
  for (let level = 0; level < depth; level++) json = wrap(json)
  return json
}

test.each<[string, (inner: Json) => Json]>([
  ['arrays', (inner) => [inner]],
  ['objects', (inner) => ({ a: inner })],
  ['objects out of order', (inner) => ({ b: 1, a: inner })],
  ['objects with names like numbers', (inner) => ({ 1: inner })],
])('%s are nested 1000 deep, and no deeper', (_what, wrap) => {
  expect(JSON.parse(canonicalJson(nested(1000, wrap)))).toEqual(nested(1000, wrap) as never)
  expect(() => canonicalJson(nested(1001, wrap))).toThrow('it must be nested at most 1000 deep')
})

test.each<[Json, string]>([
  // As strings, not as numbers.
  [{ 9: 2, 10: 1 }, '{"10":1,"9":2}'],
  [{ 0: 1, '-': 2 }, '{"-":2,"0":1}'],
  [{ ':': 1, '9': 2, '/': 3 }, '{"/":3,"9":2,":":1}'],
  [[{ b: 1, a: 2 }, 3], '[{"a":2,"b":1},3]'],
  [[3, { b: [{ d: 1, c: 2 }] }], '[3,{"b":[{"c":2,"d":1}]}]'],
  [{ a: { c: 1, b: 2 }, z: 1 }, '{"a":{"b":2,"c":1},"z":1}'],
])('members of %j are in the order of their names', (json, expected) => {
  expect(canonicalJson(json)).toBe(expected)
})

test.each([2, 15, 16, 17, 18, 100])('%p members are in the order of their names', (count) => {
  const names = Array.from({ length: count }, (_, index) => `n${String(index).padStart(3, '0')}`)
  const members = (ordered: string[]) => Object.fromEntries(ordered.map((name) => [name, 0]))
  const expected = JSON.stringify(members(names))
  expect(canonicalJson(members(names))).toBe(expected)
  expect(canonicalJson(members(names.toReversed()))).toBe(expected)
  const halves = [...names.slice(count / 2), ...names.slice(0, count / 2)]
  expect(canonicalJson(members(halves))).toBe(expected)
})

test.each<[Json, string]>([
  [{ b: 1, a: [{ d: 1, c: null }] }, '{"b":1,"a":[{"d":1,"c":null}]}'],
  [{ b: 1, a: undefined } as unknown as Json, '{"b":1}'],
])('members of a value keep their order: %p', (value, text) => {
  expect(jsonText(value)).toBe(text)
  expect(Buffer.from(valueCodecOf({ format: 'json' }).encode(value)).toString()).toBe(text)
})

test('invalid JSON is refused in values, too', () => {
  for (const value of [new Date(0), [Number.NaN], { a: '\ud800' }, { '\ud800': 1 }, { a: 1n }, { toJSON: () => 1 }]) {
    expect(() => jsonText(value as unknown as Json)).toThrow(/^it (must be|has) /)
  }
  expect(() => jsonText(nested(1001, (inner) => [inner]))).toThrow('it must be nested at most 1000 deep')
})
