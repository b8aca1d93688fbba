import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { JsonBuffer, written } from '../../lib/http/json-buffer.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(write: (to: JsonBuffer) => void): string {
  const to = new JsonBuffer(1)
  write(to)
  return decoder.decode(to.copy())
}

describe('JsonBuffer', () => {
  test('a string is written as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(textOf((to) => to.string(encoder.encode(text))))).toBe(text)
      }),
    )
    expect(textOf((to) => to.string(encoder.encode('a"\\/\n\u0001\u007fä😀')))).toBe(
      '"a\\"\\\\/\\u000a\\u0001\u007fä😀"',
    )
  })

  test('nothing is written for bytes that are not UTF-8', () => {
    const to = new JsonBuffer(8)
    to.ascii('[')
    expect(to.string(new Uint8Array([0x61, 0xff]))).toBeFalse()
    expect(to.json(encoder.encode('{'))).toBeFalse()
    expect(decoder.decode(to.copy())).toBe('[')
  })

  test('a whole number is written as JSON.stringify writes it', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => expect(textOf((to) => to.number(value))).toBe(String(value))))
    for (const value of [0, 9, 10, 999_999_999, 1_000_000_000, 1_000_000_001, 2 ** 53, -1, 1_700_000_000_123]) {
      expect(textOf((to) => to.number(value))).toBe(String(value))
    }
  })

  test('what was written is kept while the buffer grows', () => {
    const to = new JsonBuffer(1)
    let expected = ''
    for (let index = 0; index < 200; index++) {
      to.text(`ä${index}`)
      to.json(encoder.encode(' [ 1 ] '))
      to.base64(new Uint8Array([index]))
      expected += `ä${index}[1]"${Buffer.from([index]).toString('base64')}"`
    }
    expect(decoder.decode(to.copy())).toBe(expected)
    to.truncate(2)
    expect(decoder.decode(to.copy())).toBe('ä')
  })
})

describe('written', () => {
  test('a buffer that is too large to be kept is freed', () => {
    let used: JsonBuffer | undefined
    const bytes = written((to) => {
      used = to
      to.ascii('x'.repeat(3_000_000))
    })
    expect(bytes).toHaveLength(3_000_000)
    expect(used!.capacity).toBe(0)
    expect(decoder.decode(written((to) => to.ascii('y')))).toBe('y')
  })

  test('bytes have memory of their own', () => {
    const first = written((to) => to.ascii('first'))
    const second = written((to) => to.ascii('second'))
    expect([decoder.decode(first), decoder.decode(second)]).toEqual(['first', 'second'])
    expect([first.buffer.byteLength, second.buffer.byteLength]).toEqual([5, 6])
  })

  test('the next one begins empty when one has failed', () => {
    const failing = () =>
      written((to) => {
        to.ascii('half')
        throw new Error('failed')
      })
    expect(failing).toThrow('failed')
    expect(decoder.decode(written((to) => to.ascii('whole')))).toBe('whole')
  })
})
