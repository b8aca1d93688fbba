/** Following changes over HTTP and Kafka: clients that are killed, and stores that start again. */
import { expect, test } from 'bun:test'
import { createRequestHandler, observe } from '../../lib/http/handler.ts'
import { type HttpServer, listen } from '../../lib/server/listen.ts'
import type { Store } from '../../lib/store/store.ts'
import { FoldingClient } from '../support/http/folding-client.ts'
import { Random } from '../support/random.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = 3
const keys = 200
const soon = { autoFlushCount: 50, autoFlushSeconds: 0.02 }

/** Writes changes, and knows what remains. */
class Writer {
  readonly content = new Map<string, string>()
  readonly #fixture: Fixture
  readonly #random: Random
  #written = 0

  constructor(fixture: Fixture, random: Random) {
    this.#fixture = fixture
    this.#random = random
  }

  async write(count: number): Promise<void> {
    const messages = Array.from({ length: count }, () => {
      const number = this.#random.below(keys)
      const key = `key\n${number}`
      const value = this.#random.below(4) === 0 ? null : JSON.stringify({ n: this.#written++, text: 'a\nb' })
      if (value === null) this.content.delete(key)
      else this.content.set(key, value)
      return { key, value, partition: number % partitions }
    })
    await this.#fixture.produce(messages)
  }
}

function serve(store: Store, port = 0): HttpServer {
  return listen(createRequestHandler(store, {}, observe(store, '')), { bind: '127.0.0.1', port, storeId: store.id })
}

async function expectEqual(client: FoldingClient, writer: Writer): Promise<void> {
  const sorted = (content: ReadonlyMap<string, string>) => [...content].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const isEqual = () => Bun.deepEquals(sorted(client.content), sorted(writer.content))
  await until('the client has the content of the store', isEqual).catch(() => {
    expect(sorted(client.content)).toEqual(sorted(writer.content))
  })
  expect(client.wentBack).toEqual([])
}

for (const form of ['sse', 'ndjson'] as const) {
  test(`a client that is killed and continues has the content of the store, as ${form}`, async () => {
    const random = Random.of(`killed clients, ${form}`)
    await using fixture = await Fixture.create({ partitions })
    const writer = new Writer(fixture, random)
    await writer.write(500)
    const store = fixture.open(soon)
    await fixture.quiet(store)
    const server = serve(store)
    try {
      await using client = new FoldingClient(`${server.url}/changes/${store.id}?from=start`, form)
      client.start()
      for (let round = 0; round < 25; round++) {
        const before = client.changes
        await writer.write(1 + random.below(60))
        // Some are killed while changes arrive, within a listing, or before the first byte.
        if (random.below(3) > 0) await until('some have come', () => client.changes > before)
        await client.kill()
        if (random.below(2) === 0) await writer.write(1 + random.below(60))
        client.start()
      }
      await writer.write(50)
      await expectEqual(client, writer)
      await until('clients that were killed are noticed', async () => {
        const metrics = await (await fetch(`${server.url}/metrics`)).text()
        return metrics.includes('latchkey_followers 1\n')
      })
    } finally {
      await server.stop(0)
    }
  })
}

test('a client has the content of the store after each restart of it', async () => {
  const random = Random.of('restarts')
  await using fixture = await Fixture.create({ partitions })
  const writer = new Writer(fixture, random)
  await writer.write(300)
  let port = 0
  const clients: FoldingClient[] = []
  for (let round = 0; round < 4; round++) {
    const store = fixture.open(soon)
    await fixture.quiet(store)
    const server = serve(store, port)
    ;({ port } = server)
    const client = clients[0] ?? new FoldingClient(`${server.url}/changes/${store.id}?from=start`, 'sse')
    clients[0] = client
    client.start()
    await writer.write(100)
    await expectEqual(client, writer)
    await server.stop(600_000)
    await until('the stream has ended', () => !client.isRunning)
    await store.close()
    await writer.write(100)
  }
})

test('what changes while the store is not followed comes after the last id', async () => {
  const random = Random.of('later')
  await using fixture = await Fixture.create({ partitions })
  const writer = new Writer(fixture, random)
  await writer.write(300)
  const store = fixture.open(soon)
  await fixture.quiet(store)
  const server = serve(store)
  try {
    await using client = new FoldingClient(`${server.url}/changes/${store.id}?from=start`, 'ndjson')
    client.start()
    await expectEqual(client, writer)
    await until('it has an id', () => client.lastId.startsWith('1~'))
    await client.kill()
    await writer.write(300)
    client.start()
    await expectEqual(client, writer)
    expect(client.resets).toBe(1)
  } finally {
    await server.stop(0)
  }
})
