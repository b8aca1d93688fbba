import { expect, test } from 'bun:test'
import { canonicalJson, type Json } from '../../../lib/format/index.ts'

test.each([
  [new Date(0), 'Date'],
  [new Map(), 'Map'],
  [new Uint8Array(1), 'Uint8Array'],
  [Promise.resolve(), 'Promise'],
])('an object that JSON does not have is refused, and not made into an empty one: %p', (value, name) => {
  const canonical = () => canonicalJson({ a: [{ b: value as unknown as Json }] })
  expect(canonical).toThrow(`it must be JSON, and has an object that is none: ${name}`)
})

test('an object of a class is its fields', () => {
  class Point {
    y = 2
    x = 1
  }
  expect(canonicalJson(new Point() as unknown as Json)).toBe('{"x":1,"y":2}')
})
