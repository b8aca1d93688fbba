import { expect, test } from 'bun:test'
import { definitionOfFormats } from '../../lib/definition/of-formats.ts'
import type { FormatSpec } from '../../lib/format/index.ts'

const raw: FormatSpec = { format: 'raw' }
const utf8: FormatSpec = { format: 'utf8' }
const json: FormatSpec = { format: 'json' }

test.each([
  { key: raw, value: raw, store: raw, isPlain: true, keepsBytes: true },
  { key: utf8, value: raw, store: raw, isPlain: false, keepsBytes: true },
  { key: raw, value: json, store: json, isPlain: false, keepsBytes: true },
  { key: raw, value: raw, store: utf8, isPlain: false, keepsBytes: false },
  { key: utf8, value: utf8, store: json, isPlain: false, keepsBytes: false },
])('$key.format to $value.format in $store.format', ({ isPlain, keepsBytes, ...formats }) => {
  const definition = definitionOfFormats(formats)
  expect(definition).toMatchObject({ isPlain, keepsBytes })
  expect(definition.key.name).toBe(formats.key.format)
  expect(definition.input.name).toBe(formats.value.format)
  expect(definition.value.name).toBe(formats.store.format)
  expect(definition.convert === undefined).toBe(keepsBytes)
})

test('without formats the definition is plain', () => {
  expect(definitionOfFormats()).toMatchObject({ isPlain: true, keepsBytes: true })
})

test('values of two formats are converted where both can represent them', () => {
  const { input, value, convert } = definitionOfFormats({ key: raw, value: { format: 'int32' }, store: json })
  const converted = convert!(input.decode(Uint8Array.of(0, 0, 1, 0)), {} as never)
  expect(Buffer.from(value.encode(converted)).toString()).toBe('256')
})
