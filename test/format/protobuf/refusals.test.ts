import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Json } from '../../../lib/format/index.ts'
import { legacy, messageOf, order, orders } from '../../support/format/protobuf/messages.ts'

describe('refusals', () => {
  const what = 'it must be orders.v1.Order as JSON: orders.v1.'
  test.each([
    [{ idd: '1' }, `${what}Order: unknown field: "idd"`],
    [{ id: 1 }, `${what}Order.id: expected string: 1`],
    [[], `${what}Order: expected object: []`],
    ['text', `${what}Order: expected object: "text"`],
    [null, `${what}Order: expected object: null`],
    [{ status: 'STATUS_LOST' }, `${what}Order.status: unknown enum value: "STATUS_LOST"`],
    [{ customer: { id: -1 } }, `${what}Customer.id: out of range for uint64: -1`],
    [{ priority: 2 ** 31 }, `${what}Order.priority: out of range for int32: 2147483648`],
    [{ priority: 1.5 }, `${what}Order.priority: not an integer: 1.5`],
    [{ weight: 1e39 }, `${what}Order.weight: out of range for float: 1e+39`],
    [
      { card: '1', voucher: 2 },
      'it must be orders.v1.Order as JSON: orders.v1.Order: multiple values for oneof payment',
    ],
    [{ displayName: 'x', id: '' }, `${what}Order: unknown field: "displayName"`],
    [{ lines: {} }, `${what}Order.lines: expected array: {}`],
    [{ labels: [] }, `${what}Order.labels: expected object for map: []`],
    [{ rates: { x: {} } }, `${what}Order.rates: invalid int64 map key: "x"`],
    [
      { placedAt: 'yesterday' },
      'it must be orders.v1.Order as JSON: google.protobuf.Timestamp: invalid timestamp: "yesterday"',
    ],
    [{ attachment: { '@type': 'x/no.Such' } }, 'it must be orders.v1.Order as JSON: no message no.Such is known here'],
  ])('%p is not an order', (json, found) => {
    expect(() => orders.fromJson(json as Json)).toThrow(found)
    expect(() => orders.encode(json as Json)).toThrow(found)
  })

  test('a long value is not quoted to its end', () => {
    const message = messageOf(() => orders.fromJson({ priority: 'x'.repeat(10_000) }))
    expect(message.length).toBeLessThan(400)
  })

  test('what is required is there', () => {
    const found = 'it must be legacy.Reading as JSON: '
    expect(() => legacy.encode({ sensor: 'a' })).toThrow(`${found}at is required`)
    expect(() => legacy.encode({ sensor: 'a', at: 1, previous: { at: 2 } })).toThrow(
      `${found}previous.sensor is required`,
    )
    expect(() => legacy.decode(Uint8Array.fromHex('0a0161'))).toThrow(
      "it is not a valid legacy.Reading: missing required 'at'",
    )
  })

  test('a closed enum of proto2 takes none but its own values', () => {
    expect(() => legacy.encode({ sensor: 'a', at: 1, unit: 7 })).toThrow('unknown enum value')
    expect(legacy.decode(Uint8Array.fromHex('0a016110022007'))).toEqual({ sensor: 'a', at: 1 })
  })

  test('text that is not JSON is refused', () => {
    expect(() => orders.fromText('{')).toThrow('it is not JSON')
  })

  test('an Any of a message that is not known shows its bytes', () => {
    const any = new Uint8Array([
      ...Uint8Array.fromHex('ca010d0a08'),
      ...new TextEncoder().encode('x/no.Such'.slice(0, 8)),
      0x12,
      1,
      7,
    ])
    expect(orders.decode(any)).toEqual({ attachment: { '@type': 'x/no.Suc', value: 'Bw==' } })
  })
})

test('invalid UTF-8 is shown with replacements in proto2, and refused in proto3', () => {
  expect(legacy.decode(Uint8Array.fromHex('0a02c328' + '1002'))).toEqual({ sensor: '\ufffd(', at: 1 })
  expect(() => orders.decode(Uint8Array.fromHex('0a02c328'))).toThrow('it is not a valid orders.v1.Order: ')
})

describe('hostile bytes', () => {
  test('are an Error or a message that is encoded and decoded to the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => isSound(bytes)),
      { numRuns: 2_000 },
    )
  })

  test('are so where a sound message is damaged', () => {
    fc.assert(
      fc.property(order, fc.nat(), fc.nat(255), (json, at, byte) => {
        const bytes = orders.encode(json)
        if (bytes.length > 0) bytes[at % bytes.length] = byte
        isSound(bytes)
        isSound(bytes.subarray(0, at % (bytes.length + 1)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('that nest without end are refused', () => {
    const deep = (tag: number[], depth: number) => {
      let bytes = new Uint8Array()
      for (let level = 0; level < depth; level++) bytes = new Uint8Array([...tag, ...varint(bytes.length), ...bytes])
      return bytes
    }
    // Order.replaces, the fields of an unknown message, and groups that are never closed.
    expect(() => orders.decode(deep([0xda, 0x01], 2_000))).toThrow('max depth exceeded')
    expect(orders.decode(deep([0xda, 0x01], 50))).toHaveProperty('replaces.replaces')
    expect(() => orders.decode(new Uint8Array(100_000).fill(0xf3))).toThrow()
    expect(() => orders.decode(new Uint8Array(100_000).fill(0x0b))).toThrow('max depth exceeded')
  })

  test('of Any within Any without end are refused', () => {
    const url = new TextEncoder().encode('x/google.protobuf.Any')
    let bytes = new Uint8Array()
    for (let level = 0; level < 500; level++) {
      bytes = new Uint8Array([0x0a, url.length, ...url, 0x12, ...varint(bytes.length), ...bytes])
    }
    const attachment = new Uint8Array([0xca, 0x01, ...varint(bytes.length), ...bytes])
    expect(() => orders.decode(attachment)).toThrow('it has more than 16 google.protobuf.Any within each other')
    // What was refused leaves nothing behind.
    expect(orders.decode(Uint8Array.fromHex('0a0161'))).toEqual({ id: 'a' })
  })

  test('that an error would quote are not quoted to their end', () => {
    const path = new TextEncoder().encode('A'.repeat(100_000))
    const mask = new Uint8Array([0x0a, ...varint(path.length), ...path])
    const message = messageOf(() => orders.decode(new Uint8Array([0xd2, 0x01, ...varint(mask.length), ...mask])))
    expect(message).toStartWith('it is not a valid orders.v1.Order: google.protobuf.FieldMask path does not round-trip')
    expect(message.length).toBeLessThan(400)
  })

  test('that promise more than there is are refused', () => {
    expect(() => orders.decode(Uint8Array.fromHex('62ffffffff07'))).toThrow('index out of range')
    expect(() => orders.decode(Uint8Array.fromHex('72ffffffff0701'))).toThrow('index out of range')
    expect(() => orders.decode(new Uint8Array(1_000_000).fill(0xff))).toThrow('it is not a valid orders.v1.Order')
  })
})

function isSound(bytes: Uint8Array): void {
  try {
    const value = orders.decode(bytes)
    // An Any whose message is not known can be shown, but not written.
    if (JSON.stringify(value).includes('@type')) return
    expect(orders.decode(orders.encode(value))).toEqual(value)
  } catch (error) {
    expect((error as Error).constructor).toBe(Error)
    expect((error as Error).message).toStartWith('it is not a valid orders.v1.Order: ')
  }
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]
}
