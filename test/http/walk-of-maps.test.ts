/** Cursors over real maps: partitions that the instance does not hold, that do not exist, or that recover. */
import { expect, test } from 'bun:test'
import { createRequestHandler } from '../../lib/http/handler.ts'
import { listen } from '../../lib/server/listen.ts'
import { problemOf } from '../support/http/fake-store.ts'
import { keyIn, type MapStore, openMapStore } from '../support/store/map-store.ts'

const settings = { PARTITIONS: '0', PARTITIONS_REPLICA: '2', STORE_THREADS: '1' }

/** Holds partitions 0 and 2 of four. */
async function serveMaps() {
  const maps = await openMapStore(4, [{ primaries: [0], replicas: [2] }], settings)
  const { store, put, publish } = maps
  for (const partition of [0, 2]) {
    for (let number = 0; number < 20; number++) put(partition, keyIn(store, partition, number), '1')
  }
  await publish()
  const server = listen(createRequestHandler(store), { bind: '127.0.0.1', port: 0 })
  const page = (query: string) => fetch(`${server.url}/stores/orders?limit=5${query}`)
  return { ...maps, page, [Symbol.asyncDispose]: () => stop(server, maps) }
}

async function stop(server: { stop(ms: number): Promise<void> }, { store }: MapStore): Promise<void> {
  await server.stop(0)
  await store.close()
}

test.each([
  ['not held', 1, 421, 'partition_not_held'],
  ['not held, the last one', 3, 421, 'partition_not_held'],
  ['none of the topic', 4, 421, 'partition_not_held'],
  ['none of any topic', 0x7fff_ffff, 421, 'partition_not_held'],
])('a cursor whose partition is %s is refused', async (_, partition, status, code) => {
  await using served = await serveMaps()
  const { next } = (await (await served.page('')).json()) as { next: string }
  const cursor = /cursor=([^&]+)/.exec(next)![1]!
  const [mark] = cursor.split('.')
  const problem = await problemOf(await served.page(`&cursor=${mark}.${partition}.0`))
  expect(problem).toMatchObject({ status, code })
  for (const kind of ['', '&fields=key', '&prefix=k']) {
    expect((await served.page(`&cursor=${mark}.${partition}.7${kind}`)).status).toBe(status)
  }
})

test('a cursor continues, from one partition that is held to the next', async () => {
  await using served = await serveMaps()
  const keys = new Set<string>()
  let cursor: string | undefined = ''
  for (let pages = 0; cursor !== undefined && pages < 20; pages++) {
    const answer = await served.page(cursor && `&cursor=${cursor}`)
    const { entries, next } = (await answer.json()) as { entries: { key: string; role?: string }[]; next?: string }
    for (const { key } of entries) keys.add(key)
    cursor = next && /cursor=([^&]+)/.exec(next)![1]!
  }
  expect(keys.size).toBe(40)
})

test('a cursor of a partition that recovers is refused until it has', async () => {
  await using served = await serveMaps()
  const { next } = (await (await served.page('&partition=2')).json()) as { next: string }
  const cursor = next.slice(next.indexOf('&cursor='))
  served.setState(2, 'recovering')
  expect(await problemOf(await served.page(cursor))).toMatchObject({ status: 503, code: 'replica_recovering' })
  served.setState(2, 'running')
  expect((await served.page(cursor)).status).toBe(200)
})
