import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { lookupUrl } from '../../lib/server/lookup-url.ts'
import { serveFake } from '../support/http/fake-store.ts'

describe('lookupUrl', () => {
  test.each([
    ['plain-1.2_3~', 'http://x/stores/orders/plain-1.2_3~'],
    ['a/../b c', 'http://x/stores/orders/a%2F..%2Fb%20c'],
    ["'$(rm)&*", 'http://x/stores/orders/%27%24%28rm%29%26%2A'],
    ['ä', 'http://x/stores/orders/%C3%A4'],
    ['..', 'http://x/stores/orders?key=..'],
    ['', 'http://x/stores/orders?key='],
    ['...', 'http://x/stores/orders/...'],
  ])('it has no special characters for a shell or a client when the key is %p', (key, expected) => {
    expect(lookupUrl('http://x', 'orders', new TextEncoder().encode(key))).toBe(expected)
  })

  test('a key of any bytes is found by its URL', async () => {
    await using served = serveFake()
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.constantFrom([46], [46, 46]).map((dots) => new Uint8Array(dots)),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (key) => {
        served.store.put(key, 'found')
        expect(await (await fetch(lookupUrl(served.url, 'orders', key))).text()).toBe('found')
      }),
    )
  })
})
