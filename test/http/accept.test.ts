import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { acceptable, contentTypes, representationFor } from '../../lib/http/accept.ts'

describe('representationFor', () => {
  test.each([
    [null, 'json'],
    ['', 'json'],
    ['  ', 'json'],
    ['*/*', 'json'],
    ['application/json', 'json'],
    ['Application/JSON', 'json'],
    ['application/*', 'json'],
    ['application/octet-stream', 'bytes'],
    ['text/plain', 'text'],
    ['text/plain; charset=utf-8', 'text'],
    ['text/*', 'text'],
    ['text/*, application/octet-stream', 'text'],
    ['text/plain, application/json', 'json'],
    ['text/plain;q=0.9, application/octet-stream', 'bytes'],
    ['text/plain;q=0.9,application/octet-stream;q=0.901', 'bytes'],
    ['application/json;q=0.1, */*;q=0.5', 'text'],
    ['application/json;q=0, */*', 'text'],
    ['application/json;q=0, text/plain;q=0, */*', 'bytes'],
    ['application/*;q=0, */*', 'text'],
    ['*/*;q=0, text/plain', 'text'],
    ['application/*;q=0.2, application/octet-stream', 'bytes'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', 'json'],
    ['text/html, text/*;q=0.1', 'text'],
    ['application/json ; Q=0.5 , text/plain ; q=0.6', 'text'],
    [', ,text/plain', 'text'],
    ['text/plain;profile="a;b"', 'text'],
    ['text/html', undefined],
    ['image/*', undefined],
    ['*/*;q=0', undefined],
    ['application/json;q=0.000', undefined],
    ['application/problem+json', undefined],
    ['json', undefined],
    ['*', undefined],
    ['*/json', undefined],
    ['application/json;q=2', undefined],
    ['application/json;q=-1', undefined],
    ['application/json;q=0.1234', undefined],
    ['application/json;q=', undefined],
    ['text/plain;q=x, application/octet-stream', 'bytes'],
  ] as const)('Accept: %p asks for %p', (accept, expected) => {
    expect(representationFor(accept)).toBe(expected)
  })

  test('it is bounded and never throws for any header', () => {
    const piece = fc.constantFrom('text/plain', '*/*', ';q=', '0.5', ',', ' ', '"', '\\', '/', 'é', ';', '=')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        expect(['json', 'text', 'bytes', undefined]).toContain(representationFor(pieces.join('')))
      }),
    )
    expect(representationFor(`${'image/png,'.repeat(1_000)}text/plain`)).toBeUndefined()
    expect(representationFor(`text/plain${';q'.repeat(8_000)}`)).toBe('text')
  })

  test('the representations that a 406 names are accepted', () => {
    const found = acceptable.map((mediaType) => contentTypes[representationFor(mediaType)!])
    expect(found).toEqual(['application/json', 'text/plain; charset=utf-8', 'application/octet-stream'])
  })
})
