import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { addKafkaHeaders, headerCharactersMax } from '../../lib/http/kafka-headers.ts'
import { HeaderBlock } from '../../lib/kafka/record-batch/index.ts'
import { decodeKeptHeaders } from '../../lib/store-protocol/header-prefix.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { serveFake } from '../support/http/fake-store.ts'
import { rawRequest } from '../support/http/raw-request.ts'

const encoder = new TextEncoder()

type Header = readonly [name: string, value: string | Uint8Array]

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? encoder.encode(value) : value
}

function added(...headers: Header[]): Record<string, string> {
  const fields = new Headers()
  const omitted = addKafkaHeaders(
    fields,
    headers.map(([name, value]) => [name, bytesOf(value)]),
  )
  expect(omitted).toBe(0)
  return Object.fromEntries(fields)
}

function decoded(text: string): Buffer {
  const latin1 = text.replace(/%([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1')
}

function lowerCase(text: string): string {
  return text.toLowerCase()
}

describe('addKafkaHeaders', () => {
  test.each([
    ['trace-id', 'abc 123', 'trace-id', 'abc 123'],
    ['Trace-Id', 'a,b;c="d"', 'trace-id', 'a,b;c="d"'],
    ['x', '', 'x', ''],
    ['x', ' a ', 'x', '%20a%20'],
    ['x', '50%', 'x', '50%25'],
    ['x', 'a\r\nset-cookie: b\0', 'x', 'a%0D%0Aset-cookie: b%00'],
    ['x', 'ä\t\x7f', 'x', '%C3%A4%09%7F'],
    ['x', new Uint8Array([0xff, 0, 0xc3]), 'x', '%FF%00%C3'],
    ['a b:c', 'y', 'a%20b%3ac', 'y'],
    ['ä%', 'y', '%c3%a4%25', 'y'],
    ['a\r\nb', 'y', 'a%0d%0ab', 'y'],
    ['', 'y', '', 'y'],
    ['__proto__', 'y', '__proto__', 'y'],
  ] as const)('the header %p: %p is sent as %p: %p', (name, value, field, text) => {
    expect(added([name, value])).toEqual({ [`x-kafka-header-${field}`]: text })
  })

  test('those of one name are joined in their order, in any case', () => {
    expect(added(['a', '1'], ['b', '2'], ['A', '3'])).toEqual({ 'x-kafka-header-a': '1, 3', 'x-kafka-header-b': '2' })
  })

  test('those that do not fit are counted, and the others are sent', () => {
    const fields = new Headers()
    const long = new Uint8Array(headerCharactersMax / 2)
    const headers = [
      ['long', long],
      ['big', encoder.encode('x'.repeat(headerCharactersMax))],
      ['short', encoder.encode('y')],
    ] as const
    expect(addKafkaHeaders(fields, headers)).toBe(2)
    expect(Object.fromEntries(fields)).toEqual({ 'x-kafka-header-short': 'y' })
  })

  test('any name and value can be read back', () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 50 })
    fc.assert(
      fc.property(word, fc.uint8Array({ maxLength: 300 }), (name, value) => {
        const [[field = '', text = ''] = []] = Object.entries(added([name, value]))
        expect(field).toMatch(/^x-kafka-header-[!#$%&'*+.^_`|~0-9a-z-]*$/)
        expect(text).toMatch(/^(?! )[ -~]*(?<! )$/)
        expect(decoded(field.slice('x-kafka-header-'.length))).toEqual(Buffer.from(name.replace(/[A-Z]/g, lowerCase)))
        expect(decoded(text)).toEqual(Buffer.from(value))
      }),
    )
  })

  test('all together stay within the bound', () => {
    const header = fc.tuple(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 300 }))
    fc.assert(
      fc.property(fc.array(header, { maxLength: 60 }), (headers) => {
        const fields = new Headers()
        addKafkaHeaders(fields, headers)
        const characters = [...fields].reduce((sum, pair) => sum + pair.join(': ').length, 0)
        expect(characters).toBeLessThanOrEqual(headerCharactersMax)
      }),
    )
  })
})

describe('GET /stores/<id>/<key> of a record with headers', () => {
  test('hostile names and values cannot begin a header line', async () => {
    await using served = serveFake()
    const block = new HeaderBlock(8_192)
    const hostile = [
      ['trace', 'x\r\nSet-Cookie: stolen=1\r\n\r\n<html>'],
      ['a: b\r\nX-Injected', 'y'],
      ['nul', 'a\0b'],
      ['unicode', '\u{1f600}\u2028\u0085'],
      ['trace', 'second'],
    ] as const
    for (const [name, value] of hostile) block.add(name, value)
    served.store.put('a', 'found', { headerBlock: Buffer.from(block.bytes.subarray(0, block.length)) })
    const answer = await rawRequest(served.server.port, 'GET /stores/orders/a HTTP/1.1\r\nHost: x\r\n\r\n')
    const [head, body] = answer.split('\r\n\r\n')
    expect(body).toBe('found')
    const names = head!
      .split('\r\n')
      .slice(1)
      .map((line) => line.slice(0, line.indexOf(':')).toLowerCase())
    expect(names.filter((name) => name.startsWith('x-kafka-header-')).toSorted()).toEqual([
      'x-kafka-header-a%3a%20b%0d%0ax-injected',
      'x-kafka-header-nul',
      'x-kafka-header-trace',
      'x-kafka-header-unicode',
    ])
    expect(names).not.toContain('set-cookie')
    expect(names).not.toContain('x-injected')
    const { headers } = await fetch(`${served.url}/stores/orders/a`)
    expect(headers.get('x-kafka-header-trace')).toBe('x%0D%0ASet-Cookie: stolen=1%0D%0A%0D%0A<html>, second')
    expect(headers.get('x-kafka-header-nul')).toBe('a%00b')
  })

  test('304 repeats them, and omitted ones are counted', async () => {
    await using served = serveFake()
    const block = new HeaderBlock(100_000)
    block.add('trace', '1')
    block.add('long', new Uint8Array(10_000))
    const lookup: Pick<Lookup, 'headerBlock'> = { headerBlock: block.bytes.subarray(0, block.length) }
    expect(decodeKeptHeaders(lookup).map(([name]) => name)).toEqual(['trace', 'long'])
    served.store.put('a', '1', lookup)
    const response = await fetch(`${served.url}/stores/orders/a`, { headers: { 'if-none-match': '*' } })
    expect(response.status).toBe(304)
    expect(response.headers.get('x-kafka-header-trace')).toBe('1')
    expect(response.headers.get('x-latchkey-headers-omitted')).toBe('1')
  })
})
