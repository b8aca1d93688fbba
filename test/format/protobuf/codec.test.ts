import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Json } from '../../../lib/format/index.ts'
import vectors from '../../support/format/java/vectors.json' with { type: 'json' }
import { codecNamed, former, legacy, measured, order, orders } from '../../support/format/protobuf/messages.ts'

describe('what Google’s Java writes', () => {
  test.each(vectors.protobuf.filter(({ json }) => json !== null))('$name', ({ message, bytes, json }) => {
    const codec = codecNamed(message)
    const decoded = codec.decode(Uint8Array.fromHex(bytes)) as Json
    expect(withNumbers(codec.toJson(decoded))).toEqual(withNumbers(json as Json))
    expect(codec.encode(decoded).toHex()).toBe(bytes)
    // Java's JSON, where 64-bit numbers are always strings, is understood too.
    expect(codec.encode(codec.fromJson(json as Json)).toHex()).toBe(bytes)
    expect(codec.fromText(codec.toText(decoded))).toEqual(decoded)
  })

  test('an extension has its full name in brackets', () => {
    const { bytes } = vectors.protobuf.find(({ name }) => name === 'an extension')!
    const decoded = legacy.decode(Uint8Array.fromHex(bytes))
    expect(decoded).toEqual({ sensor: 'a', at: 1, '[legacy.remark]': 'r' })
    expect(legacy.encode(decoded).toHex()).toBe(bytes)
  })
})

describe('any message', () => {
  test('survives bytes and text', () => {
    fc.assert(
      fc.property(order, (json) => {
        const value = orders.fromJson(json)
        expect(value).toEqual(json)
        expect(orders.decode(orders.encode(value))).toEqual(json)
        expect(orders.fromText(orders.toText(value))).toEqual(json)
      }),
    )
  })

  test('has the same bytes for any order of its members', () => {
    fc.assert(
      fc.property(order, (json) => {
        expect(orders.encode(reversed(json as Json))).toEqual(orders.encode(json))
      }),
    )
  })

  test('does not change with the bytes that it was decoded from', () => {
    const bytes = orders.encode({ id: 'a', signature: 'AAEC', labels: { a: 'b' } })
    const value = orders.decode(bytes)
    bytes.fill(0x41)
    expect(value).toEqual({ id: 'a', signature: 'AAEC', labels: { a: 'b' } })
  })

  test('is decoded without the fields that the schema does not know', () => {
    const bytes = former.encode({ id: 'a', remark: 'long ago', blob: 'AAAA' })
    expect(orders.decode(bytes)).toEqual({ id: 'a' })
  })

  test('keeps the largest float', () => {
    const bytes = Uint8Array.fromHex('7dffff7f7f')
    expect(orders.decode(bytes)).toEqual({ weight: 3.4028234663852886e38 })
    expect(orders.encode(orders.decode(bytes))).toEqual(bytes)
  })

  test('has 0 for -0, which JSON does not know', () => {
    expect(orders.decode(Uint8Array.fromHex('7d00000080'))).toEqual({})
    expect(orders.decode(Uint8Array.fromHex('81010000000000000080'))).toEqual({})
    expect(Object.is(measured.decode(Uint8Array.fromHex('090000000000000080'))['value'], 0)).toBeTrue()
  })

  test('has maps in the order of their keys', () => {
    expect(orders.decode(orders.encode({ labels: { b: '2', a: '1' } }))).toEqual({ labels: { a: '1', b: '2' } })
    const keys = Object.keys((orders.decode(orders.encode({ labels: { b: '2', ab: '', a: '1' } })) as never)['labels'])
    expect(keys).toEqual(['a', 'ab', 'b'])
  })
})

/** Decimal strings as numbers where those are exact: Java has 64-bit numbers as strings always. */
function withNumbers(json: Json): Json {
  if (typeof json === 'string') return /^-?\d+$/.test(json) && Number.isSafeInteger(Number(json)) ? Number(json) : json
  if (Array.isArray(json)) return json.map((element: Json) => withNumbers(element))
  if (json === null || typeof json !== 'object') return json
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, withNumbers(value)]))
}

function reversed(json: Json): Json {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map((element: Json) => reversed(element))
  return Object.fromEntries(
    Object.entries(json)
      .toReversed()
      .map(([name, value]) => [name, reversed(value)]),
  )
}
