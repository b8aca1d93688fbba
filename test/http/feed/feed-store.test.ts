/** Streams of changes of a store whose maps the test writes. */
import { expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { createHandler } from '../../../lib/http/handler.ts'
import { problemOf } from '../../support/http/fake-store.ts'
import { FeedClient } from '../../support/http/feed-client.ts'
import { open } from '../../support/server/clients.ts'
import { openMapStore } from '../../support/store/map-store.ts'
import { until } from '../../support/until.ts'

const prefixesMax = 1_000

/** As a program that embeds a store serves it. */
async function serveMaps() {
  const maps = await openMapStore(2, [{ primaries: [0, 1] }])
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: createHandler(maps.store) })
  const url = `http://127.0.0.1:${server.port}/changes/orders`
  const end = async () => {
    await server.stop(true)
    await maps.store.close()
  }
  return { ...maps, url, [Symbol.asyncDispose]: end }
}

test('a listing, changes and deletions are those of the store', async () => {
  await using served = await serveMaps()
  served.put(0, 'a', '1', 1)
  served.put(1, 'b', '2', 1)
  await served.publish()
  await using client = await FeedClient.open(`${served.url}?from=start`)
  const { stream } = client
  await until('the listing is complete', () => stream.lastEventId.startsWith('1~'))
  expect(stream.contents.map(([type]) => type)).toEqual(['reset', 'put', 'put'])
  served.put(0, 'a', null, 2)
  served.put(1, 'b', '3', 2)
  served.put(1, 'b', '4', 3)
  await served.publish()
  await until('the changes have come', () => stream.events.length === 5)
  const changes = stream.contents.slice(3).toSorted(([a], [b]) => (a < b ? -1 : 1))
  expect(changes).toMatchObject([
    ['delete', { key: 'a', partition: 0, offset: 2 }],
    ['put', { key: 'b', value: 4, offset: 3 }],
  ])
  expect(stream.events[4]!.id).not.toBe(stream.events[3]!.id)
})

test('1,000 different prefixes are followed, and clients of one of them and of keys besides', async () => {
  await using served = await serveMaps()
  // More than fetch() connects at the same time.
  const sockets: Socket[] = []
  for (let prefix = 0; prefix < prefixesMax; prefix++) {
    const socket = await open(Number(new URL(served.url).port))
    sockets.push(socket)
    socket.resume()
    socket.write(`GET /changes/orders?prefix=p${prefix} HTTP/1.1\r\nHost: a\r\n\r\n`)
  }
  await until('all follow', () => served.store.changes.following === prefixesMax)
  expect(await problemOf(await fetch(`${served.url}?prefix=q`))).toMatchObject({
    status: 503,
    code: 'waits_exhausted',
    detail: expect.stringContaining('1000 other prefixes are followed already'),
  })
  await using same = await FeedClient.open(`${served.url}?prefix=p7`)
  await using key = await FeedClient.open(`${served.url}?keys=q`)
  expect([same.response.status, key.response.status]).toEqual([200, 200])
  sockets.pop()!.destroy()
  await until('a prefix is free', () => served.store.changes.following === prefixesMax + 1)
  await using other = await FeedClient.open(`${served.url}?prefix=q`)
  expect(other.response.status).toBe(200)
  for (const socket of sockets) socket.destroy()
})

test('streams end when the store is closed', async () => {
  await using served = await serveMaps()
  await using all = await FeedClient.open(served.url)
  await using key = await FeedClient.open(`${served.url}?keys=a`)
  await until('both follow', () => served.store.changes.following === 2)
  await served.store.close()
  await until('both have ended', () => all.end !== undefined && key.end !== undefined)
  expect([all.end, key.end]).toEqual(['whole', 'whole'])
  expect(await problemOf(await fetch(served.url))).toMatchObject({ status: 503, code: 'stopping' })
})
