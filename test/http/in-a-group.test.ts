import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { FakeGroupStore } from '../support/http/fake-group-store.ts'
import { serveStore } from '../support/http/fake-store.ts'
import { modes } from '../support/http/transports.ts'

interface Page {
  entries: { key: string; partition: number }[]
  restarted?: number[]
  next?: string
}

const lines = { headers: { accept: 'application/x-ndjson' } }

describe.each(modes)('reads in a group %s', (_, hasFastPath) => {
  const serve = () => serveStore(new FakeGroupStore(), { hasFastPath })

  function fill(store: FakeGroupStore): void {
    for (let index = 0; index < 40; index++) store.put(`key ${index}`, `${index}`, { partition: index % 4 })
  }

  /** Partition 3 moves once it is read in part, in chunks of so many entries. */
  function moveWhileRead(store: FakeGroupStore, limit: number): void {
    const read = store.fetchChunk.bind(store)
    store.fetchChunk = (position, bounds) => {
      if (position.partition === 3 && position.hash > 0) store.otherMark = 'm3'
      return read(position, { ...bounds, limit })
    }
  }

  async function pageAt(url: string): Promise<Page> {
    const response = await fetch(url)
    expect(response.status).toBe(200)
    return (await response.json()) as Page
  }

  test('many keys name the epoch of each instance that was asked', async () => {
    await using served = serve()
    served.store.put('a', '1')
    const response = await fetch(`${served.url}/stores/orders?keys=a`)
    expect(await response.text()).toStartWith('{"epochs":{"i1":42,"i2":7},"entries":[{"key":"a"')
    expect(response.headers.get('x-latchkey-epochs')).toBe('i1=42, i2=7')
    expect(response.headers.has('x-latchkey-epoch')).toBeFalse()
  })

  test('the id of another instance cannot end a header line', async () => {
    await using served = serve()
    served.store.epochs['i3\r\nSet-Cookie: a=b'] = 1
    const response = await fetch(`${served.url}/stores/orders?keys=a`)
    expect(response.headers.get('x-latchkey-epochs')).toEndWith('i3%0D%0ASet-Cookie%3A%20a%3Db=1')
    expect(response.headers.has('set-cookie')).toBeFalse()
  })

  test('a key that does not exist is missing as the copy that was read has it', async () => {
    await using served = serve()
    const details = { caughtUp: false, lag: 5, partition: 2 }
    served.store.onGet = () => {
      throw new LatchkeyError('key_not_found', 'Looking up the key: nothing', { details })
    }
    const missing = async (query: string) =>
      ((await (await fetch(`${served.url}/stores/orders?keys=a${query}`)).json()) as { missing: object[] }).missing
    expect(await missing('')).toEqual([{ key: 'a', code: 'key_not_found', caughtUp: false }])
    expect(await missing('&max-lag=5')).toEqual([{ key: 'a', code: 'key_not_found', caughtUp: false }])
    expect(await missing('&max-lag=4')).toEqual([{ key: 'a', code: 'too_stale' }])
  })

  test.each([
    [5, '5'],
    [null, 'unknown'],
  ])('a key that a copy with a lag of %p does not have is missing with role and lag', async (lag, shown) => {
    await using served = serve()
    served.store.onGet = () => {
      const details = { caughtUp: true, lag, partition: 2 }
      throw new LatchkeyError('key_not_found', 'Looking up the key: nothing', { details })
    }
    const { status, headers } = await fetch(`${served.url}/stores/orders/a`)
    expect(status).toBe(404)
    expect([headers.get('x-latchkey-role'), headers.get('x-latchkey-lag')]).toEqual(['replica', shown])
  })

  test('pages continue at any instance, where the partition is read', async () => {
    await using served = serve()
    fill(served.store)
    const keys: string[] = []
    const marks: string[] = []
    for (let next: string | undefined = '/stores/orders?limit=7'; next !== undefined;) {
      const page: Page = await pageAt(served.url + next)
      expect(page.restarted).toBeUndefined()
      keys.push(...page.entries.map(({ key }) => key))
      ;({ next } = page)
      marks.push(...(next === undefined ? [] : [next.split('cursor=')[1]!.split('.').slice(0, 2).join(' ')]))
    }
    expect(keys.toSorted()).toEqual(Array.from({ length: 40 }, (_key, index) => `key ${index}`).toSorted())
    expect(marks).toEqual(['m1 0', 'm1 1', 'm2 2', 'm2 2', 'm2 3'])
    expect(served.store.fetched).toBeGreaterThan(0)
  })

  test('a partition that has moved between two pages is begun again, and named', async () => {
    await using served = serve()
    fill(served.store)
    const first = await pageAt(`${served.url}/stores/orders?limit=4&partition=2`)
    served.store.otherMark = 'm3'
    const response = await fetch(served.url + first.next!)
    const second = (await response.json()) as Page
    expect(response.headers.get('x-latchkey-restarted')).toBe('2')
    expect(second.restarted).toEqual([2])
    expect(second.entries.map(({ key }) => key)).toEqual(first.entries.map(({ key }) => key))
    expect(second.next).toContain('cursor=m3.2.')
  })

  test('all entries end with the partitions that were begun again', async () => {
    await using served = serve()
    fill(served.store)
    moveWhileRead(served.store, 6)
    const text = await (await fetch(`${served.url}/stores/orders`, lines)).text()
    const all = text.trimEnd().split('\n')
    expect(all.pop()).toBe('{"end":true,"entries":46,"restarted":[3]}')
    expect(new Set(all).size).toBe(40)
  })

  test('a count with a prefix counts a partition that has moved once', async () => {
    await using served = serve()
    fill(served.store)
    moveWhileRead(served.store, 4)
    const count = async (query: string) => (await fetch(`${served.url}/stores/orders?count${query}`)).json()
    expect(await count('&prefix=key')).toEqual({ count: 40, epochs: { i1: 42, i2: 7 } })
    expect(await count('')).toEqual({ epochs: { i1: 42, i2: 7 }, count: 40 })
  })
})
