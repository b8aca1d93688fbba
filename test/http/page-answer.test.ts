import { describe, expect, test } from 'bun:test'
import { createHandler } from '../../lib/http/handler.ts'
import { FakeStore, problemOf, serveFake } from '../support/http/fake-store.ts'

/** What browsers send when an address is entered. */
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'
const token = 'r4nd0m-token-of-the-store'

describe('GET /', () => {
  test.each([
    [browser, 'text/html; charset=utf-8'],
    ['text/html', 'text/html; charset=utf-8'],
    ['text/plain;q=0.5, text/html;q=0.6', 'text/html; charset=utf-8'],
    ['*/*', 'text/plain; charset=utf-8'],
    ['text/*', 'text/plain; charset=utf-8'],
    ['text/html;q=0.5, text/plain', 'text/plain; charset=utf-8'],
    ['text/html;q=0, */*;q=0.1', 'text/plain; charset=utf-8'],
    ['image/png', 'text/plain; charset=utf-8'],
    ['application/json', 'application/json'],
  ])('the answer to Accept: %s is %s', async (accept, contentType) => {
    await using served = serveFake()
    const response = await fetch(served.url, { headers: { accept } })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, contentType])
    expect([response.headers.get('vary'), response.headers.get('cache-control')]).toEqual(['Accept', 'no-store'])
    const head = await fetch(served.url, { method: 'HEAD', headers: { accept } })
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, contentType, ''])
  })

  test('a page may load nothing, run nothing else and stand in no frame', async () => {
    await using served = serveFake()
    const { headers } = await fetch(served.url, { headers: { accept: browser } })
    const policy = headers.get('content-security-policy')!.split('; ')
    expect(policy.filter((directive) => !/^(script|style)-src /.test(directive))).toEqual([
      "default-src 'none'",
      "connect-src 'self'",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ])
    expect(policy.join(' ')).not.toMatch(/unsafe|\*|https?:/)
    expect([headers.get('referrer-policy'), headers.get('x-content-type-options')]).toEqual(['no-referrer', 'nosniff'])
  })

  test('without JavaScript a page shows the text of a terminal, as text', async () => {
    await using served = serveFake()
    served.store.state.formats = { key: 'int64', value: '</pre><script>alert(1)</script>&"' }
    const page = await (await fetch(served.url, { headers: { accept: browser } })).text()
    const shown = /<noscript>\s*<pre>([^]*)<\/pre>\s*<\/noscript>/.exec(page)?.[1]
    expect(shown).toContain('GET  /stores/orders/&lt;key&gt;')
    expect(shown).toContain('&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;')
  })

  test('with a token everybody gets the page, and it says nothing of the store', async () => {
    await using served = serveFake({ token })
    const ask = async (headers: Record<string, string>, method = 'GET', path = '/') =>
      fetch(served.url + path, { method, headers: { accept: browser, ...headers } })
    const pages = [await ask({}), await ask({ authorization: `Bearer ${token}` }), await ask({}, 'GET', '/?a=b')]
    const texts = await Promise.all(pages.map((page) => page.text()))
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(new Set(texts).size).toBe(1)
    expect(texts[0]).toContain('This store is read with a token.')
    // Script and style are the same for all stores.
    const own = texts[0]!.replaceAll(/<(script|style)\b[^]*?<\/\1>/g, '')
    expect(own).not.toMatch(/orders|raw|running|r4nd0m/)
    expect((await ask({}, 'HEAD')).status).toBe(200)
  })

  test.each([
    ['POST', '/', browser],
    ['GET', '/', 'application/json'],
    ['GET', '/', '*/*'],
    ['GET', '/x', browser],
    ['GET', '/status-store/orders', browser],
    ['GET', '/metrics', browser],
  ])('with a token, %s %s with Accept: %s needs it', async (method, path, accept) => {
    await using served = serveFake({ token })
    const response = await fetch(served.url + path, { method, headers: { accept } })
    expect(await problemOf(response)).toMatchObject({ code: 'unauthorized' })
  })

  test('the script of the page learns the id of the store', async () => {
    await using served = serveFake({ token })
    const headers = { accept: 'application/json', authorization: `Bearer ${token}` }
    expect(await (await fetch(served.url, { headers })).json()).toEqual({ id: 'orders', state: 'running' })
  })

  test('an embedding program serves the page below its prefix', async () => {
    const handler = createHandler(new FakeStore(), { prefix: '/shop' })
    for (const path of ['/shop', '/shop/']) {
      const response = await handler(new Request(`http://a${path}`, { headers: { accept: browser } }))
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(await response.text()).toContain('GET  /shop/stores/orders/&lt;key&gt;')
    }
  })
})
