/** What each example module makes of records: the same cases, whether they come through a definition, the executable or the library. */
import vectors from '../support/format/java/vectors.json' with { type: 'json' }

export interface Case {
  /** File name of the module, without its ending. */
  readonly module: string
  /** Beside the module. */
  readonly files?: readonly string[]
  /** In order; null is a tombstone. */
  readonly records: readonly (readonly [key: string, value: string | Uint8Array | null])[]
  /** Under each key at the end; null where there is none. */
  readonly stored: Readonly<Record<string, unknown>>
  /** Of the bad records, what the log says. */
  readonly bad?: readonly string[]
}

const json = JSON.stringify

function javaMessage(name: string): Uint8Array {
  return Buffer.from(vectors.protobuf.find((vector) => vector.name === name)!.bytes, 'hex')
}

export const cases: readonly Case[] = [
  {
    module: 'rename-fields',
    records: [
      ['a', json({ ORDER_NO: 'a', CUST_NAME: 'Ada', AMT_CENTS: 1999, FILLER: '' })],
      ['b', 'null'],
    ],
    stored: { a: { id: 'a', customer: 'Ada', amount: 19.99 }, b: null },
    bad: ['convert failed: rename-fields.ts:14: '],
  },
  {
    module: 'keep-three-fields',
    records: [
      ['a', json({ id: 'a', status: 'placed', total: 7, lines: [{ product: 'p' }], notes: 'n' })],
      ['a', json({ id: 'a', status: 'paid', total: 7 })],
      ['b', json({ id: 'b', status: 'lost', total: 7 })],
      ['c', json({ id: 'c', status: 'placed' })],
    ],
    stored: { a: { id: 'a', status: 'paid', total: 7 }, b: null, c: null },
    bad: [
      'status: expected ("placed" | "paid" | "packed" | "shipped" | "delivered"), found another value (string)',
      'total: it is missing',
    ],
  },
  {
    module: 'count-updates',
    records: [
      ['a', json({ status: 'open' })],
      ['b', json({ status: 'open' })],
      ['a', json({ status: 'packed' })],
      ['b', null],
      ['a', json({ status: 'sent' })],
      ['b', json({ status: 'again' })],
    ],
    stored: { a: { status: 'sent', updates: 2 }, b: { status: 'again', updates: 0 } },
  },
  {
    module: 'redact',
    records: [
      ['a', json({ email: 'ada@example.org', phone: '1', state: 'active', since: 1815 })],
      ['b', json({ email: 'bob@example.org', state: 'active' })],
      ['b', json({ email: 'bob@example.org', state: 'forgotten' })],
      ['c', json({ email: 'c@example.org', state: 'test' })],
    ],
    stored: { a: { email: '…@example.org', state: 'active', since: 1815 }, b: null, c: null },
  },
  {
    module: 'protobuf-to-json',
    files: ['order.proto'],
    records: [
      ['a', javaMessage('messages within messages')],
      ['b', javaMessage('nothing')],
      ['c', 'no message'],
    ],
    stored: { a: { customer: 'C', items: 2 }, b: { customer: null, items: 0 }, c: null },
    bad: ['it is not a valid shop.Order'],
  },
]
