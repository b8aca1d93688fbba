/** Lookups that wait for an offset or a change, by both ways into the request handler. */
import { describe, expect, test } from 'bun:test'
import { preferredWaitOf } from '../../lib/http/wait-parameters.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { until } from '../support/until.ts'

const preferring = (seconds: number, more: Record<string, string> = {}) => ({
  headers: { prefer: `wait=${seconds}`, ...more },
})

/** A request whose answer the test can look for. */
function ask(url: string, init?: RequestInit) {
  const asked: { answer?: Response } = {}
  const answered = fetch(url, init).then((response) => (asked.answer = response))
  return { asked, answered }
}

for (const hasFastPath of [true, false]) {
  describe(hasFastPath ? 'on the fast path' : 'on Bun’s server', () => {
    test('min-offset is answered at once when it is visible', async () => {
      await using served = serveFake({ hasFastPath })
      served.store.put('a', 'one')
      served.store.changes.visible.set(1, 8)
      const answer = await fetch(`${served.url}/stores/orders/a?min-offset=1:7`)
      expect([answer.status, await answer.text(), answer.headers.get('preference-applied')]).toEqual([200, 'one', null])
    })

    test('min-offset holds the answer until it is visible, which is then the latest', async () => {
      await using served = serveFake({ hasFastPath })
      const { store, url } = served
      store.put('a', 'old')
      const { asked, answered } = ask(`${url}/stores/orders/a?min-offset=1%3A7&min-offset=0:2`, preferring(5))
      await until('it waits', () => store.changes.waiting === 1)
      store.changes.visible.set(1, 8)
      store.changes.publish()
      expect(asked.answer).toBeUndefined()
      store.put('a', 'new')
      store.changes.visible.set(0, 3)
      store.changes.publish()
      const answer = await answered
      expect([await answer.text(), answer.headers.get('preference-applied')]).toEqual(['new', 'wait=5'])
      expect(store.changes.waiting).toBe(0)
    })

    test('min-offset is refused at the end of the wait', async () => {
      await using served = serveFake({ hasFastPath })
      const answer = await fetch(`${served.url}/stores/orders/a?min-offset=1:7`, preferring(0))
      expect(answer.headers.get('preference-applied')).toBe('wait=0')
      expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'not_yet_visible' })
    })

    test('min-offset that is none, or of a partition that is not held, is refused', async () => {
      await using served = serveFake({ hasFastPath })
      const codeOf = async (query: string) =>
        (await problemOf(await fetch(`${served.url}/stores/orders/a?${query}`))).code
      for (const text of ['', '3', '3:', ':3', 'a:3', '3:-1', '1:2:3', '1:1e3', '12345678901:1']) {
        expect([text, await codeOf(`min-offset=${text}`)]).toEqual([text, 'invalid_parameter'])
      }
      expect(await codeOf(`min-offset=0:1${'&min-offset=0:1'.repeat(1_000)}`)).toBe('invalid_parameter')
      expect(await codeOf('min-offset=7:1')).toBe('partition_not_held')
    })

    test('a key that does not exist is waited for until it does', async () => {
      await using served = serveFake({ hasFastPath })
      const { store, url } = served
      const { asked, answered } = ask(`${url}/stores/orders/a`, preferring(5))
      await until('it waits', () => store.changes.waiting === 1)
      store.changes.publish()
      await Bun.sleep(0)
      expect(asked.answer).toBeUndefined()
      store.put('a', 'one')
      store.changes.publish()
      const answer = await answered
      expect([answer.status, await answer.text()]).toEqual([200, 'one'])
      expect(answer.headers.get('preference-applied')).toBe('wait=5')
      expect(store.changes.waiting).toBe(0)
    })

    test('a key that exists is answered at once, as is one that changed before the wait began', async () => {
      await using served = serveFake({ hasFastPath })
      served.store.put('a', 'one')
      const answer = await fetch(`${served.url}/stores/orders/a`, preferring(60))
      expect(answer.status).toBe(200)
      const other = await fetch(`${served.url}/stores/orders/a`, preferring(60, { 'if-none-match': '"another"' }))
      expect(other.status).toBe(200)
      const gone = await fetch(`${served.url}/stores/orders/b`, preferring(60, { 'if-none-match': '"another"' }))
      expect(gone.status).toBe(404)
    })

    test('If-None-Match is waited for until the value changes, or is deleted', async () => {
      await using served = serveFake({ hasFastPath })
      const { store, url } = served
      store.put('a', 'one')
      const etag = (await fetch(`${url}/stores/orders/a`)).headers.get('etag')!
      const changed = ask(`${url}/stores/orders/a`, preferring(5, { 'if-none-match': etag }))
      await until('it waits', () => store.changes.waiting === 1)
      store.put('a', 'two')
      store.changes.publish()
      expect(await (await changed.answered).text()).toBe('two')
      store.put('a', 'one')
      const deleted = ask(`${url}/stores/orders/a`, preferring(5, { 'if-none-match': etag }))
      await until('it waits', () => store.changes.waiting === 1)
      store.onGet = () => undefined
      store.changes.publish()
      expect((await deleted.answered).status).toBe(404)
    })

    test('at the end of the wait, the answer is that of the moment', async () => {
      await using served = serveFake({ hasFastPath })
      const { store, url } = served
      store.put('a', 'one')
      const etag = (await fetch(`${url}/stores/orders/a`)).headers.get('etag')!
      const [same, missing] = await Promise.all([
        fetch(`${url}/stores/orders/a`, preferring(1, { 'if-none-match': etag })),
        fetch(`${url}/stores/orders/b`, preferring(1)),
      ])
      expect([same.status, missing.status]).toEqual([304, 404])
      expect(same.headers.get('preference-applied')).toBe('wait=1')
      expect((await problemOf(missing)).code).toBe('key_not_found')
      expect(store.changes.waiting).toBe(0)
    })

    test('other errors and other stores are not waited for', async () => {
      await using served = serveFake({ hasFastPath })
      const codeOf = async (path: string) => (await problemOf(await fetch(served.url + path, preferring(60)))).code
      expect(await codeOf('/stores/other/a')).toBe('store_not_found')
      expect(await codeOf('/stores/orders/')).toBe('invalid_key')
    })
  })
}

test('a client that leaves ends its wait', async () => {
  await using served = serveFake()
  const abort = new AbortController()
  const { answered } = ask(`${served.url}/stores/orders/a`, { ...preferring(60), signal: abort.signal })
  answered.catch(() => {})
  await until('it waits', () => served.store.changes.waiting === 1)
  abort.abort()
  await until('the wait is over', () => served.store.changes.waiting === 0)
})

test('a server that stops answers what it holds', async () => {
  const served = serveFake()
  const { answered } = ask(`${served.url}/stores/orders/a`, preferring(60))
  await until('it waits', () => served.store.changes.waiting === 1)
  const stopped = served.server.stop(30_000)
  const answer = await answered
  expect([answer.status, answer.headers.get('connection')]).toEqual([404, 'close'])
  await stopped
})

test('a held request is not an idle connection', async () => {
  await using served = serveFake({ idleTimeoutSeconds: 1 })
  const answer = await fetch(`${served.url}/stores/orders/a`, preferring(3))
  expect([answer.status, answer.headers.get('preference-applied')]).toEqual([404, 'wait=3'])
})

test('a wait is read from Prefer, within a minute', () => {
  const waits: [string | null, number | undefined][] = [
    [null, undefined],
    ['wait=10', 10],
    ['WAIT=10', 10],
    ['respond-async, wait=10; foo=bar', 10],
    ['wait = "10"', 10],
    ['wait=3600', 60],
    ['wait=0', 0],
    ['wait', undefined],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['await=10', undefined],
  ]
  for (const [header, seconds] of waits) expect([header, preferredWaitOf(header)]).toEqual([header, seconds])
})
