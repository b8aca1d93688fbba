/** Streams of status events over sockets. */
import { describe, expect, test } from 'bun:test'
import { createHandler } from '../../../lib/http/handler.ts'
import type { StatusEvent } from '../../../lib/http/status-events/status-event.ts'
import { FakeStore, problemOf } from '../../support/http/fake-store.ts'
import { FeedClient } from '../../support/http/feed-client.ts'
import { allTransports } from '../../support/http/transports.ts'
import { until } from '../../support/until.ts'

const path = '/status-store/orders/events'

function eventsOf({ stream }: FeedClient): StatusEvent[] {
  return stream.contents.map(([, data]) => data as StatusEvent)
}

for (const { name, serveFake } of allTransports) {
  describe(`status events ${name}`, () => {
    test('an event comes at once, and then one after the other until the server stops', async () => {
      const served = serveFake()
      await using client = await FeedClient.open(served.url + path)
      expect(Object.fromEntries(client.response.headers)).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      await until('the first has come', () => client.stream.events.length >= 1)
      served.store.state.state = 'failed'
      await until('the change has come', () => eventsOf(client).at(-1)!.state === 'failed')
      expect(client.stream.events.map(({ type }) => type).every((type) => type === 'status')).toBeTrue()
      expect(eventsOf(client)[0]).toMatchObject({ id: 'orders', state: 'running', history: expect.any(Array) })
      await served.server.stop(5_000)
      await until('the stream has ended', () => client.end !== undefined)
      expect(client.end).toBe('whole')
    })

    test('what is not a request for the stream is refused', async () => {
      await using served = serveFake({ corsOrigins: ['https://a.example'] })
      const ask = async (target: string, init: RequestInit = {}) =>
        problemOf(await fetch(served.url + target, { ...init, tls: { rejectUnauthorized: false } }))
      expect(await ask('/status-store/other/events')).toMatchObject({ code: 'store_not_found' })
      expect(await ask(path, { method: 'POST' })).toMatchObject({ code: 'method_not_allowed' })
      const headers = { accept: 'application/json' }
      expect(await ask(path, { headers })).toMatchObject({ code: 'not_acceptable', acceptable: ['text/event-stream'] })
    })
  })
}

test('HEAD has the headers of GET, and a page of an allowed origin may read the stream', async () => {
  await using served = allTransports[0]!.serveFake({ corsOrigins: ['https://a.example'] })
  const head = await fetch(served.url + path, { method: 'HEAD', headers: { origin: 'https://a.example' } })
  expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
    200,
    'text/event-stream; charset=utf-8',
    '',
  ])
  const preflight = await fetch(served.url + path, {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'GET' },
  })
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, 'https://a.example'])
  await using client = await FeedClient.open(served.url + path, { origin: 'https://a.example' })
  expect(client.response.headers.get('access-control-allow-origin')).toBe('https://a.example')
})

test('the stream needs the token, and does not contain it', async () => {
  const token = 'r4nd0m-token-of-the-store'
  await using served = allTransports[0]!.serveFake({ token })
  expect(await problemOf(await fetch(served.url + path))).toMatchObject({ code: 'unauthorized' })
  await using client = await FeedClient.open(served.url + path, { authorization: `Bearer ${token}` })
  await until('the first has come', () => client.stream.events.length >= 1)
  expect(client.text).not.toContain(token)
})

test('an embedding program serves the stream below its prefix', async () => {
  const handler = createHandler(new FakeStore(), { prefix: '/shop' })
  const response = await handler(new Request(`http://a/shop${path}`))
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  expect(new TextDecoder().decode(value)).toStartWith('retry: 2000\nevent: status\ndata: {"id":"orders"')
  await reader.cancel()
})
