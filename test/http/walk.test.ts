import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { defineStore } from '../../lib/index.ts'
import { problemOf, type Served, serveFake } from '../support/http/fake-store.ts'
import { modes } from '../support/http/transports.ts'

interface Page {
  entries: Record<string, unknown>[]
  next?: string
}

const lines = { headers: { accept: 'application/x-ndjson' } }

describe.each(modes)('GET /stores/<id> %s', (_, hasFastPath) => {
  const serve = (...[options, definition]: Parameters<typeof serveFake>) =>
    serveFake({ ...options, hasFastPath }, definition)

  function fill({ store }: Served, count: number): string[] {
    const keys = Array.from({ length: count }, (_key, index) => `key ${index}`)
    for (const [index, key] of keys.entries()) {
      store.put(key, `{"n": ${index}}`, { partition: index % 3, offset: index })
    }
    return keys.toSorted()
  }

  /** All pages from this one on. */
  async function pagesFrom({ url }: Served, first: string): Promise<Page[]> {
    const pages: Page[] = []
    for (let next: string | undefined = first; next !== undefined; next = pages.at(-1)!.next) {
      const response: Response = await fetch(url + next)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json'])
      const page = (await response.json()) as Page
      expect(response.headers.get('link')).toBe(page.next === undefined ? null : `<${page.next}>; rel="next"`)
      expect(response.headers.get('x-latchkey-epoch')).toBe('42')
      pages.push(page)
    }
    return pages
  }

  test('each entry stands on one page, in full', async () => {
    await using served = serve()
    const keys = fill(served, 250)
    const pages = await pagesFrom(served, '/stores/orders')
    expect(pages.map(({ entries }) => entries.length)).toEqual([100, 100, 50])
    const entries = pages.flatMap((page) => page.entries)
    expect(entries.map(({ key }) => String(key)).toSorted()).toEqual(keys)
    expect(entries.find(({ key }) => key === 'key 7')).toEqual({
      key: 'key 7',
      value: { n: 7 },
      partition: 1,
      offset: 7,
      timestamp: 1_700_000_000_000,
    })
  })

  test('pages keep limit, prefix, fields and partition', async () => {
    await using served = serve()
    fill(served, 250)
    const pages = await pagesFrom(served, '/stores/orders?limit=7&prefix=key+1&fields=key&partition=2')
    expect(pages[0]?.next).toMatch(
      /^\/stores\/orders\?limit=7&prefix=key%201&fields=key&partition=2&cursor=m1\.2\.\d+$/,
    )
    const entries = pages.flatMap((page) => page.entries)
    expect(entries).toHaveLength(36)
    expect(
      entries.every((entry) => Object.keys(entry).join() === 'key' && String(entry['key']).startsWith('key 1')),
    ).toBeTrue()
    expect(Math.max(...pages.map((page) => page.entries.length))).toBe(7)
  })

  test('pages of an empty store have neither entries nor a next page', async () => {
    await using served = serve()
    expect(await pagesFrom(served, '/stores/orders')).toEqual([{ entries: [] }])
  })

  test('a page is lines, with its next page in Link, when Accept asks for lines', async () => {
    await using served = serve()
    fill(served, 3)
    const response = await fetch(`${served.url}/stores/orders?limit=2&fields=key`, lines)
    expect(response.headers.get('link')).toMatch(/rel="next"/)
    expect((await response.text()).trimEnd().split('\n')).toHaveLength(2)
  })

  test('a page may be empty while there is a next one', async () => {
    await using served = serve()
    fill(served, 9_000)
    served.store.put('other', '1', { partition: 3 })
    const chunk = served.store.readChunk.bind(served.store)
    served.store.readChunk = async (...given) => ({ ...(await chunk(...given)), examined: 250_000 })
    const pages = await pagesFrom(served, '/stores/orders?prefix=other')
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.slice(0, -1).every(({ entries }) => entries.length === 0)).toBeTrue()
    expect(pages.at(-1)?.entries).toHaveLength(1)
  })

  test('a page has at most its bytes, and at least one chunk', async () => {
    await using served = serve()
    for (let index = 0; index < 40; index++) {
      served.store.put(`k${index}`, `"${'x'.repeat(1_000_000)}"`, { partition: index % 4 })
    }
    const pages = await pagesFrom(served, '/stores/orders?limit=10000')
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.flatMap(({ entries }) => entries)).toHaveLength(40)
  })

  test('keys and values have the form of their formats, and what does not fit them is shown', async () => {
    await using served = serve({}, defineStore({ key: 'int64', input: 'int32' }))
    const int64 = (value: number) => new Uint8Array([0, 0, 0, 0, 0, 0, 0, value])
    served.store.put(int64(7), new Uint8Array([0, 0, 0, 9]))
    served.store.put(int64(70), new Uint8Array([1]))
    served.store.put('no key', new Uint8Array([0, 0, 0, 9]))
    const byKey = (page: Page[]) =>
      page.flatMap(({ entries }) => entries).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    const entries = byKey(await pagesFrom(served, '/stores/orders'))
    expect(entries).toMatchObject([
      { key: '7', value: 9 },
      { key: '70', code: 'value_undecodable' },
      { key: { base64: 'bm8ga2V5' }, value: 9 },
    ])
    expect(byKey(await pagesFrom(served, '/stores/orders?prefix=7&fields=key'))).toEqual(
      [{ key: '70' }, { key: '7' }].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    )
    expect(await (await fetch(`${served.url}/stores/orders?count&prefix=7`)).json()).toEqual({
      count: 2,
      from: 42,
      to: 42,
    })
  })

  test('counts are answered, of one epoch without a prefix', async () => {
    await using served = serve()
    fill(served, 1_200)
    expect(await (await fetch(`${served.url}/stores/orders?count`)).json()).toEqual({ epoch: 42, count: 1_200 })
    const url = `${served.url}/stores/orders?count&prefix=key+11`
    expect(await (await fetch(url)).json()).toEqual({ count: 111, from: 42, to: 42 })
  })

  test.each([
    ['?limit=0', 'limit is "0"; give a whole number from 1 to 10000'],
    ['?limit=10001', 'limit is "10001"'],
    ['?limit=x', 'limit is "x"'],
    ['?limit=1&limit=2', 'limit more than once'],
    ['?limit=1&keys=a', 'keys and limit, which exclude each other'],
    ['?limit=1&key=a', 'key and limit, which exclude each other'],
    ['?count&limit=1', 'count and limit, which exclude each other'],
    ['?count=1', 'count has a value'],
    ['?count&partition=1', 'there is no parameter "partition" here; there are count, prefix'],
    ['?partition=-1', 'partition is "-1"'],
    ['?fields=value', 'fields is not "key"'],
    ['?cursor=', 'cursor is not one that this server has given'],
    ['?cursor=m1.0', 'cursor is not one'],
    ['?cursor=m1.0.4294967296', 'cursor is not one'],
    ['?cursor=m1.1.0&partition=2', 'different partitions'],
    ['?lmit=1', 'there is no parameter "lmit" here; there are limit, cursor, prefix, fields, partition'],
  ])('400 is answered when the query is %p', async (query, detail) => {
    await using served = serve()
    const problem = await problemOf(await fetch(`${served.url}/stores/orders${query}`))
    expect(problem).toMatchObject({ status: 400, code: 'invalid_parameter', detail: expect.stringContaining(detail) })
  })

  test('410 is answered when the cursor is of another process', async () => {
    await using served = serve()
    const problem = await problemOf(await fetch(`${served.url}/stores/orders?cursor=m2.0.0`))
    expect(problem).toMatchObject({ status: 410, code: 'cursor_expired' })
  })

  test('the error of the store is answered when it does not serve', async () => {
    await using served = serve()
    served.store.onRead = () => {
      throw new LatchkeyError('recovering', 'Reading store orders: it is recovering')
    }
    expect(await problemOf(await fetch(`${served.url}/stores/orders`))).toMatchObject({
      status: 503,
      code: 'recovering',
    })
    expect(await problemOf(await fetch(`${served.url}/stores/orders`, lines))).toMatchObject({ status: 503 })
  })
})
