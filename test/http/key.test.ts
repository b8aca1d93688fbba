import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { LatchkeyError } from '../../lib/errors.ts'
import { decodeKey, keyBytesMax, keyOfQuery, targetOf } from '../../lib/http/key.ts'

const text = (value: string) => new TextEncoder().encode(value)

function faultOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(LatchkeyError)
    expect((error as LatchkeyError).code).toBe('invalid_key')
    return (error as LatchkeyError).message
  }
  throw new Error('The key was accepted')
}

describe('decodeKey', () => {
  test.each([
    ['plain', text('plain')],
    ['a/b', text('a/b')],
    ['a%2Fb', text('a/b')],
    ['a%2fb', text('a/b')],
    ['%25', text('%')],
    ['a+b', text('a+b')],
    ['%C3%A4', text('ä')],
    ['ä', text('ä')],
    ['%FF%00', new Uint8Array([0xff, 0])],
    ['%00', new Uint8Array([0])],
  ])('a key is its bytes when it is %p', (encoded, expected) => {
    expect(decodeKey(encoded)).toEqual(expected)
  })

  test.each(['%', 'a%', 'a%2', '%zz', '%2g', '%%', '%/0', '%:0', '%@1', '%`1', '%ä'])(
    'a key is refused when it is %p',
    (encoded) => expect(faultOf(() => decodeKey(encoded))).toContain('two hexadecimal digits'),
  )

  test('a key is refused when it is empty', () => {
    expect(faultOf(() => decodeKey(''))).toStartWith('Reading the key: it is empty; append the key to the path')
  })

  test('a key is refused when its bytes pass the bound', () => {
    expect(decodeKey('x'.repeat(keyBytesMax))).toHaveLength(keyBytesMax)
    expect(decodeKey('%20'.repeat(keyBytesMax))).toHaveLength(keyBytesMax)
    for (const long of ['x'.repeat(keyBytesMax + 1), '%20'.repeat(keyBytesMax + 1), 'ä'.repeat(keyBytesMax)]) {
      expect(faultOf(() => decodeKey(long))).toBe(`Reading the key: it is longer than ${keyBytesMax} bytes`)
    }
  })

  test('any bytes are restored when they are percent-encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        const encoded = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
        expect(decodeKey(encoded)).toEqual(bytes)
      }),
    )
  })

  test('any text is restored when encodeURIComponent has encoded it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (key) => {
        expect(decodeKey(encodeURIComponent(key))).toEqual(text(key))
      }),
    )
  })
})

describe('keyOfQuery', () => {
  test.each([
    ['key=a', text('a')],
    ['key=a%2F..%2Fb', text('a/../b')],
    ['key=a+b%2B', text('a b+')],
    ['x=1&key=a=b&y', text('a=b')],
    ['key=', text('')],
    ['keys=a', undefined],
    ['', undefined],
  ])('the key is found when the query is %p', (query, expected) => {
    expect(keyOfQuery(query)).toEqual(expected)
  })

  test('the key is refused when it has no value or there are several', () => {
    expect(faultOf(() => keyOfQuery('key'))).toContain('without a value')
    expect(faultOf(() => keyOfQuery('key=a&key=b'))).toContain('several')
  })
})

describe('targetOf', () => {
  test.each([
    ['http://host:1/a/b?c', '/a/b?c'],
    ['http://[::1]:1/', '/'],
    ['/a/b', '/a/b'],
    ['http://host', ''],
    ['host:1', ''],
    ['', ''],
  ])('the target is cut out when the URL is %p', (url, expected) => {
    expect(targetOf(url)).toBe(expected)
  })
})
