/** Streams of changes, of a follower whose batches the test gives: as server-sent events, and as lines. */
import { describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { type ChangeId, formatChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { ChangeEvent } from '../../../lib/store-protocol/following.ts'
import { FeedClient } from '../../support/http/feed-client.ts'
import { allTransports } from '../../support/http/transports.ts'
import { until } from '../../support/until.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const placeAt = (offset: number): ChangeId => ({ topicId: 'topic', time: 1, positions: new Map([[0, offset]]) })
const idAt = (offset: number) => formatChangeId(placeAt(offset))
const ndjson = { accept: 'application/x-ndjson' }

function put(key: string, value: string, offset = 42): ChangeEvent {
  return { type: 'put', entry: { key: utf8(key), value: utf8(value), partition: 3, offset, timestamp: 9 } }
}

function deletion(key: string, offset = 43): ChangeEvent {
  return { type: 'delete', key: utf8(key), partition: 3, offset }
}

for (const { name, serveFake, open } of allTransports) {
  describe(`changes ${name}`, () => {
    async function follow(query = '', headers: Record<string, string> = {}) {
      const served = serveFake()
      const client = await FeedClient.open(`${served.url}/changes/orders${query}`, headers)
      const follower = served.store.changes.followers[0]!
      const end = async () => {
        await client[Symbol.asyncDispose]()
        await served[Symbol.asyncDispose]()
      }
      return { served, client, follower, [Symbol.asyncDispose]: end }
    }

    test('a stream of events begins with its place, and each batch ends with its own', async () => {
      await using feed = await follow()
      const { client, follower } = feed
      const { stream } = client
      follower.place = placeAt(8)
      await until('it has begun', () => stream.lastEventId !== '')
      const first = formatChangeId({ topicId: 'topic', time: 1_700_000_000_000, positions: new Map([[0, 7]]) })
      expect([stream.retry, stream.lastEventId, stream.events]).toEqual([2_000, first, []])
      follower.give({ events: [put('a', '{"n": [1,\n2]}'), deletion('b')], place: placeAt(9) })
      follower.give({ events: [{ type: 'status', partition: 3, state: 'fenced' }], place: undefined })
      await until('all have come', () => stream.events.length === 3)
      expect(stream.events).toEqual([
        {
          type: 'put',
          data: '{"key":"a","value":{"n":[1,2]},"partition":3,"offset":42,"timestamp":9}',
          id: first,
        },
        { type: 'delete', data: '{"key":"b","partition":3,"offset":43}', id: idAt(9) },
        { type: 'status', data: '{"partition":3,"state":"fenced"}', id: idAt(9) },
      ])
      const { headers } = client.response
      expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
      expect([headers.get('cache-control'), headers.get('content-encoding'), headers.get('etag')]).toEqual([
        'no-store',
        null,
        null,
      ])
    })

    test('a reset carries its place, which a listing keeps until it is complete', async () => {
      await using feed = await follow('?from=start', { 'last-event-id': idAt(3) })
      const { client, follower } = feed
      expect(follower.options.from).toEqual(placeAt(3))
      follower.give({ events: [{ type: 'reset' }], place: 'start' })
      follower.give({ events: [put('a', '1'), put('b', '2')], place: undefined })
      const { stream } = client
      await until('the listing has come', () => stream.events.length === 3)
      expect(stream.contents[0]).toEqual(['reset', {}])
      expect(stream.events.map(({ id }) => id)).toEqual(['start', 'start', 'start'])
      follower.give({ events: [], place: placeAt(9) })
      await until('an id has come alone', () => stream.lastEventId === idAt(9))
      expect(stream.events).toHaveLength(3)
    })

    test('lines have the same: the reset with its place, and a line for each other place', async () => {
      await using feed = await follow('', ndjson)
      const { client, follower } = feed
      expect(client.response.headers.get('content-type')).toBe('application/x-ndjson')
      follower.give({ events: [{ type: 'reset' }], place: 'start' })
      follower.give({ events: [put('a', 'no "JSON"\n', -1), deletion('b', -1)], place: placeAt(9) })
      await until('all have come', () => client.lines.at(-1)?.['id'] === idAt(9))
      expect(client.lines.slice(1)).toEqual([
        { type: 'reset', id: 'start' },
        { type: 'put', key: 'a', valueBase64: btoa('no "JSON"\n'), partition: 3, offset: null, timestamp: 9 },
        { type: 'delete', key: 'b', partition: 3, offset: null },
        { type: 'place', id: idAt(9) },
      ])
    })

    test('the parameters reach the follower', async () => {
      await using feed = await follow('?keys=a%0A&keys=b+c&partition=1&values=false&from=start', ndjson)
      expect(feed.follower.options).toEqual({
        keys: [utf8('a\n'), utf8('b c')],
        partitions: [1],
        from: 'start',
        withValues: false,
      })
      feed.follower.give({ events: [put('a\n', '{"x":1}')], place: placeAt(1) })
      await until('it has come', () => feed.client.lines.length === 3)
      expect(feed.client.lines[1]).toEqual({
        type: 'put',
        key: 'a\n',
        partition: 3,
        offset: 42,
        timestamp: 9,
        bytes: 7,
      })
    })

    test('the place of the last event is followed on, by the header or by the query', async () => {
      for (const [query, headers, from] of [
        ['', { 'last-event-id': idAt(5) }, placeAt(5)],
        ['', { 'last-event-id': 'start' }, 'start'],
        [`?after=${idAt(6)}`, {}, placeAt(6)],
        [`?after=${idAt(6)}`, { 'last-event-id': idAt(5) }, placeAt(5)],
        ['?after=start', {}, 'start'],
        ['?prefix=a', {}, 'now'],
      ] as const) {
        await using feed = await follow(query, { ...headers })
        expect(feed.follower.options.from).toEqual(from)
      }
    })

    test('a stream ends when the store does not serve any more', async () => {
      await using feed = await follow()
      const { client, follower, served } = feed
      follower.give(new LatchkeyError('stopping', 'Reading: it is stopping'))
      await until('it has ended', () => client.end !== undefined)
      expect([client.end, follower.isClosed]).toEqual(['whole', true])
      expect(await (await metricsOf(served.url)).text()).toContain('latchkey_followers 0\n')
    })

    test('a stream ends when the server stops, which does not wait for it', async () => {
      await using feed = await follow()
      const { client, follower, served } = feed
      await until('it has begun', () => client.text !== '')
      await served.server.stop(600_000)
      await until('it has ended', () => client.end !== undefined)
      expect([client.end, follower.isClosed]).toEqual(['whole', true])
    })

    test('a client that leaves is followed no more', async () => {
      await using feed = await follow()
      const { client, follower } = feed
      await until('it has begun', () => client.text !== '')
      await client[Symbol.asyncDispose]()
      await until('its follower is closed', () => follower.isClosed)
    })

    test('a client that leaves before its stream begins is not followed', async () => {
      await using served = serveFake()
      const { changes } = served.store
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
      let asked = 0
      changes.onFollow = () => {
        asked++
        return begun
      }
      const socket = await open(served.server.port)
      socket.write('GET /changes/orders HTTP/1.1\r\nHost: a\r\n\r\n')
      await until('it is asked for', () => asked === 1)
      socket.resetAndDestroy()
      // Another client is answered, so the server has seen the end of the first.
      for (let request = 0; request < 3; request++) await metricsOf(served.url)
      begin()
      await until('its follower is closed', () => changes.followers[0]?.isClosed === true)
      expect(await (await metricsOf(served.url)).text()).toContain('latchkey_followers 0\n')
    })

    test('followers and events are counted', async () => {
      await using feed = await follow()
      const { client, follower, served } = feed
      const events = [{ type: 'reset' } as const, put('a', '1'), put('b', '1'), deletion('c')]
      follower.give({ events, place: 'start' })
      await until('all have come', () => client.stream.events.length === 4)
      const metrics = await (await metricsOf(served.url)).text()
      expect(metrics.match(/^latchkey_f(?:ollowers|eed)\S* \S+$/gm)).toEqual([
        'latchkey_followers 1',
        'latchkey_feed_events_total{kind="put"} 2',
        'latchkey_feed_events_total{kind="delete"} 1',
        'latchkey_feed_events_total{kind="reset"} 1',
        'latchkey_feed_events_total{kind="status"} 0',
        'latchkey_feed_resumes_total{from="ring"} 0',
        'latchkey_feed_resumes_total{from="changelog"} 0',
        'latchkey_feed_resumes_total{from="reset"} 0',
      ])
    })

    test('where places were found is counted once for each stream, when it is known', async () => {
      await using feed = await follow()
      const { served } = feed
      const resumes = async () => {
        const metrics = await (await metricsOf(served.url)).text()
        return metrics.match(/(?<=^latchkey_feed_resumes_total.* )\d+$/gm)!.join(' ')
      }
      const clients: FeedClient[] = []
      for (const resumed of ['ring', 'changelog', 'changelog'] as const) {
        served.store.changes.resumed = resumed
        clients.push(await FeedClient.open(`${served.url}/changes/orders?after=${idAt(1)}`))
      }
      expect(await resumes()).toBe('1 0 0')
      const [, , read, lost] = served.store.changes.followers
      read!.give({ events: [put('a', '1')], place: undefined })
      read!.give({ events: [put('a', '2')], place: placeAt(9) })
      lost!.resumed = 'reset'
      lost!.give({ events: [], place: undefined })
      await until('they are counted', async () => (await resumes()) === '1 1 1')
      for (const client of clients) await client[Symbol.asyncDispose]()
    })

    test('HEAD has the headers and no body', async () => {
      const served = serveFake()
      const answer = await fetch(`${served.url}/changes/orders`, { method: 'HEAD', tls: { rejectUnauthorized: false } })
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
        '',
      ])
      expect(served.store.changes.followers.map(({ isClosed }) => isClosed)).toEqual([true])
      await served[Symbol.asyncDispose]()
    })
  })
}

function metricsOf(url: string): Promise<Response> {
  return fetch(`${url}/metrics`, { tls: { rejectUnauthorized: false } })
}
