import { describe, expect, test } from 'bun:test'
import { ValueAnswer, type Wanted } from '../../lib/http/value-answer.ts'
import type { Lookup } from '../../lib/store-protocol/status.ts'
import { read } from '../style/repository.ts'

const body = new TextEncoder().encode('{"a":1}')
const lookup: Lookup = { value: body, partition: 3, offset: 42, timestamp: 1_700_000_000_000 }

/** A header `trace` with the value `1`, as Kafka encodes it: lengths are zigzag. */
const headerBlock = Buffer.from([10, ...Buffer.from('trace'), 2, 0x31])

const wanted: Wanted = { as: 'json', isRaw: true, headers: new Headers() }

function answerOf(more: Partial<Lookup> = {}, other: Partial<Wanted> = {}): ValueAnswer {
  return new ValueAnswer({ ...lookup, ...more }, body, { ...wanted, ...other })
}

function headersOf(lines: string): Headers {
  const parts = lines.split('\r\n').slice(0, -1)
  return new Headers(parts.map((line) => line.split(/: (.*)/).slice(0, 2)) as [string, string][])
}

describe('ValueAnswer', () => {
  test('the answer in the README has its first headers, in their order', () => {
    const [, printed = ''] = /^HTTP\/1\.1 200 OK\n(.*?)^…\n/ms.exec(read('README.md')) ?? []
    const namesOf = (lines: string) =>
      lines
        .trimEnd()
        .split(/\r?\n/)
        .map((line) => line.split(':')[0])
    const names = namesOf(printed)
    expect(names.length).toBeGreaterThan(2)
    expect(namesOf(answerOf().headerLines()).filter((name) => names.includes(name))).toEqual(names)
  })

  test.each([
    ['it is usual', answerOf()],
    ['the record has neither offset nor timestamp', answerOf({ offset: -1, timestamp: -1 })],
    ['it comes from a replica', answerOf({ replicaLag: 5 })],
    ['it comes from a replica whose lag is not known', answerOf({ replicaLag: null })],
    ['it is text', answerOf({}, { as: 'text' })],
    ['it is bytes of a format', answerOf({}, { as: 'bytes', isRaw: false })],
    ['the client has it', answerOf({}, { headers: new Headers({ 'if-none-match': '*' }) })],
    ['headers of the record were kept', answerOf({ headerBlock })],
  ])('lines and Response are the same when %s', async (_, answer) => {
    const response = answer.toResponse()
    expect(response.status).toBe(answer.status)
    expect([...headersOf(answer.headerLines())].toSorted()).toEqual([...response.headers].toSorted())
    expect(await response.text()).toBe(answer.status === 304 ? '' : '{"a":1}')
  })

  test('a Response has all of a large value, whose memory is released', async () => {
    const value = new Uint8Array(100_000).fill(0x78)
    const response = new ValueAnswer({ ...lookup, value }, value, wanted).toResponse()
    expect(value.length).toBe(0)
    expect(await response.text()).toBe('x'.repeat(100_000))
  })

  test('there are several answers to compare', () => {
    expect(answerOf({ headerBlock }).headerLines()).toContain('x-kafka-header-trace: 1')
    expect(answerOf({}, { headers: new Headers({ 'if-none-match': '*' }) }).status).toBe(304)
  })
})
