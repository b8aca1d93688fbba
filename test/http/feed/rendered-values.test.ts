import { expect, test } from 'bun:test'
import { RenderedValues } from '../../../lib/http/feed/rendered-values.ts'

function bytes(length: number): Uint8Array {
  return new Uint8Array(length)
}

test('what was rendered of a value is found by the value itself, not by equal bytes', () => {
  const values = new RenderedValues()
  const value = bytes(3)
  const rendered = bytes(5)
  values.add(value, rendered)
  expect(values.of(value)).toBe(rendered)
  expect(values.of(bytes(3))).toBeUndefined()
})

test('neither many values nor large ones are kept', () => {
  const values = new RenderedValues()
  const first = bytes(1)
  values.add(first, bytes(1))
  for (let count = 0; count < 2_000; count++) values.add(bytes(1), bytes(1))
  expect(values.of(first)).toBeUndefined()

  const few = new RenderedValues()
  const large = bytes(1 << 20)
  few.add(large, bytes(1 << 20))
  few.add(bytes(1 << 20), bytes(1 << 20))
  expect(few.of(large)).toBeDefined()
  few.add(bytes(1 << 20), bytes(1 << 20))
  expect(few.of(large)).toBeUndefined()

  const tooLarge = bytes(5 << 20)
  few.add(tooLarge, bytes(1))
  expect(few.of(tooLarge)).toBeUndefined()
})
