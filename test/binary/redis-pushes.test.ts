/** Clients of Redis subscribe to changes of the topic, and keep near caches right, with what they have built in. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import { Redis } from 'ioredis'
import { BasicClientSideCache, createClient } from 'redis'
import { Random } from '../support/random.ts'
import {
  change,
  changeAll,
  fillUsers,
  type RedisStore,
  startRedisStore,
  type UsersTopic,
} from '../support/resp/redis-store.ts'
import { until } from '../support/until.ts'

let users: UsersTopic
let started: RedisStore

beforeAll(async () => {
  users = await fillUsers(20)
  started = await startRedisStore(users, { HTTP_THREADS: '2', AUTO_FLUSH_SECONDS: '1' })
  await started.latchkey.until('it is ready', () => started.latchkey.isReady())
})
afterAll(() => started[Symbol.asyncDispose]())

const keyspace = '__keyspace@0__:'

/** What a client has received, as `channel message`. */
type Received = string[]

interface Subscriber {
  subscribe(channel: string): Promise<unknown>
  /** Undefined for a client that has no patterns. */
  psubscribe: ((pattern: string) => Promise<unknown>) | undefined
  unsubscribe(channel: string): Promise<unknown>
  close(): void | Promise<void>
}

const subscribers: Record<string, (received: Received) => Promise<Subscriber>> = {
  ioredis: async (received) => {
    const client = new Redis(started.port, '127.0.0.1')
    client.on('message', (channel, message) => received.push(`${channel} ${message}`))
    client.on('pmessage', (_, channel, message) => received.push(`${channel} ${message}`))
    return {
      subscribe: (channel) => client.subscribe(channel),
      psubscribe: (pattern) => client.psubscribe(pattern),
      unsubscribe: (channel) => client.unsubscribe(channel),
      close: () => client.disconnect(),
    }
  },
  'node-redis, RESP2': (received) => nodeRedis(2, received),
  'node-redis, RESP3': (received) => nodeRedis(3, received),
  "Bun's own": async (received) => {
    const client = new RedisClient(`redis://127.0.0.1:${started.port}`)
    await client.connect()
    return {
      subscribe: (channel) => client.subscribe(channel, (message, from) => received.push(`${from} ${message}`)),
      psubscribe: undefined,
      unsubscribe: (channel) => client.unsubscribe(channel),
      close: () => client.close(),
    }
  },
}

async function nodeRedis(version: 2 | 3, received: Received): Promise<Subscriber> {
  const client = createClient({ RESP: version, socket: { host: '127.0.0.1', port: started.port } })
  await client.connect()
  const listener = (message: string, channel: string) => void received.push(`${channel} ${message}`)
  return {
    subscribe: (channel) => client.subscribe(channel, listener),
    psubscribe: (pattern) => client.pSubscribe(pattern, listener),
    unsubscribe: (channel) => client.unsubscribe(channel),
    close: () => client.destroy(),
  }
}

describe.each(Object.keys(subscribers))('%s', (name) => {
  test('gets a message when a key is set, and when it is deleted', async () => {
    const received: Received = []
    const client = await subscribers[name]!(received)
    await using _ = { [Symbol.asyncDispose]: async () => client.close() }
    const key = `sent to ${name}`
    await client.subscribe(`${keyspace}${key}`)
    await client.subscribe('__keyevent@0__:del')
    await change(users, key, 'x')
    await until('it is set', () => received.includes(`${keyspace}${key} set`))
    await change(users, key, null)
    await until('it is deleted', () => received.includes(`${keyspace}${key} del`))
    await until('the deletion is named', () => received.includes(`__keyevent@0__:del ${key}`))
    await client.unsubscribe(`${keyspace}${key}`)
    if (client.psubscribe === undefined) return
    await client.psubscribe(`${keyspace}${key}*`)
    received.length = 0
    await change(users, `${key} again`, 'x')
    await until('the pattern matches', () => received.includes(`${keyspace}${key} again set`))
    expect(received).toEqual([`${keyspace}${key} again set`])
  })
})

describe("node-redis's near cache", () => {
  test('is asked first, and has the new value after a change', async () => {
    const cache = new BasicClientSideCache({ maxEntries: 100 })
    const client = createClient({
      RESP: 3,
      socket: { host: '127.0.0.1', port: started.port },
      clientSideCache: cache,
    })
    await using _ = { [Symbol.asyncDispose]: async () => client.destroy() }
    await client.connect()
    expect(await client.get('user:1')).toBe('{"n":1}')
    expect(await client.get('user:1')).toBe('{"n":1}')
    expect(cache.stats()).toMatchObject({ hitCount: 1, missCount: 1 })
    await change(users, 'user:1', 'new')
    await until('the new value comes', async () => (await client.get('user:1')) === 'new')
    await change(users, 'user:1', null)
    await until('the deletion comes', async () => (await client.get('user:1')) === null)
    await change(users, 'user:1', '{"n":1}')
    await until('it is there again', async () => (await client.get('user:1')) === '{"n":1}')
    const { missCount } = cache.stats()
    // Each change has cost one lookup, and each one before it at least one more.
    expect(missCount).toBeLessThanOrEqual(8)
    const metrics = await (await fetch(`${started.latchkey.url}/metrics`)).text()
    expect(metrics).toContain('latchkey_resp_tracking_clients 1')
    expect(metrics).toContain('latchkey_resp_tracked_keys 1')
  })
})

test('near caches of many clients end with the values of the topic', async () => {
  const random = Random.of('near caches over Kafka')
  await using busy = await startRedisStore(users, { HTTP_THREADS: '2', STORE_THREADS: '2', AUTO_FLUSH_COUNT: '20' })
  await busy.latchkey.until('it is ready', () => busy.latchkey.isReady())
  const socket = { host: '127.0.0.1', port: busy.port }
  const plain = createClient({ socket })
  const cached = Array.from({ length: 6 }, () => createClient({ RESP: 3, socket, clientSideCache: { maxEntries: 0 } }))
  await using _ = { [Symbol.asyncDispose]: async () => [plain, ...cached].forEach((client) => client.destroy()) }
  await Promise.all([plain, ...cached].map((client) => client.connect()))
  const keys = Array.from({ length: 50 }, (_unused, index) => `busy:${index}`)
  const written = new AbortController()
  const reading = cached.map(async (client) => {
    while (!written.signal.aborted) {
      await Promise.all(keys.map((key) => client.get(key)))
      // A near cache answers without a turn of the loop.
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  const last = new Map<string, string | null>(keys.map((key) => [key, null]))
  for (let round = 0; round < 60; round++) {
    const messages = Array.from({ length: 20 }, (_unused, index) => {
      const value = random.below(4) === 0 ? null : `${round} ${index}`
      return { key: random.pick(keys), value }
    })
    for (const { key, value } of messages) last.set(key, value)
    await changeAll(users, messages)
  }
  written.abort()
  await Promise.all(reading)
  const isRight = async (client: { get(key: string): Promise<unknown> }) => {
    const values = await Promise.all(keys.map((key) => client.get(key)))
    return values.every((value, index) => value === last.get(keys[index]!))
  }
  await until('everything is visible', () => isRight(plain))
  for (const client of cached) await until(`a near cache is right, LATCHKEY_SEED=${random.seed}`, () => isRight(client))
})

test('subscriptions and near caches are right again after the store was killed and started', async () => {
  const first = await startRedisStore(users, { AUTO_FLUSH_SECONDS: '1' })
  await first.latchkey.until('it is ready', () => first.latchkey.isReady())
  const { port } = first
  const received: Received = []
  const subscriber = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 })
  subscriber.on('error', () => {})
  subscriber.on('message', (channel, message) => received.push(`${channel} ${message}`))
  await subscriber.subscribe(`${keyspace}killed`)
  const socket = { host: '127.0.0.1', port, reconnectStrategy: () => 50 }
  const listener = createClient({ socket })
  const cached = createClient({ RESP: 3, socket, clientSideCache: { maxEntries: 100 } })
  for (const client of [listener, cached]) client.on('error', () => {})
  await using _ = {
    [Symbol.asyncDispose]: async () => {
      subscriber.disconnect()
      listener.destroy()
      cached.destroy()
    },
  }
  await listener.connect()
  await listener.subscribe(`${keyspace}killed`, (message) => void received.push(`node-redis ${message}`))
  await cached.connect()
  expect(await cached.get('user:3')).toBe('{"n":3}')
  await first.latchkey.kill()
  await change(users, 'user:3', 'changed while it was down')
  await using again = await startRedisStore(users, { AUTO_FLUSH_SECONDS: '1', RESP_PORT: String(port) })
  await again.latchkey.until('it is ready', () => again.latchkey.isReady())
  let found: unknown
  const isRight = async () => {
    found = await cached.get('user:3').catch((error: Error) => error)
    return found === 'changed while it was down'
  }
  await again.latchkey.until('the near cache is right', isRight).catch((error: Error) => {
    throw new Error(`the near cache has ${String(found)}, ready: ${cached.isReady}; ${error.message}`)
  })
  // A connection that had subscribed before the store served ends then, so the first messages may miss it.
  await again.latchkey.until('both get a message', async () => {
    await change(users, 'killed', 'x')
    return new Set(received).size === 2
  })
  expect([...new Set(received)].toSorted()).toEqual([`${keyspace}killed set`, 'node-redis set'])
})
