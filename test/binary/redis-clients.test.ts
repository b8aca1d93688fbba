/** Clients of Redis, with their default settings, connect to the executable and read a topic. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { makeCertificate } from '../support/http/certificate.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { fillUsers, type RedisStore, startRedisStore, type UsersTopic } from '../support/resp/redis-store.ts'

const records = 500
const token = 'a token that no one guesses'.replaceAll(' ', '-')

let users: UsersTopic

/** The same questions to each client. */
interface Client {
  get(key: string): Promise<string | null>
  mget(keys: string[]): Promise<(string | null)[]>
  scan(cursor: string): Promise<[cursor: string, keys: string[]]>
  info(): Promise<string>
  set(key: string, value: string): Promise<unknown>
  close(): void | Promise<void>
}

interface ClientOptions {
  port: number
  password?: string
  isSecure?: boolean
}

const clients: Record<string, (options: ClientOptions) => Promise<Client>> = {
  'node-redis': async ({ port, password, isSecure }) => {
    const socket = isSecure
      ? ({ host: '127.0.0.1', port, tls: true, rejectUnauthorized: false } as const)
      : { host: '127.0.0.1', port }
    const client = createClient({ socket, ...(password && { password }) })
    client.on('error', () => {})
    await client.connect()
    return {
      get: async (key) => client.get(key),
      mget: async (keys) => client.mGet(keys),
      scan: async (cursor) => {
        const page = await client.scan(cursor, { MATCH: 'user:*', COUNT: 100 })
        return [String(page.cursor), page.keys]
      },
      info: async () => client.info(),
      set: async (key, value) => client.set(key, value),
      close: () => client.destroy(),
    }
  },
  ioredis: async ({ port, password, isSecure }) => {
    const tls = isSecure ? { tls: { rejectUnauthorized: false } } : {}
    const client = new Redis(port, '127.0.0.1', { ...(password && { password }), ...tls })
    client.on('error', () => {})
    return {
      get: (key) => client.get(key),
      mget: (keys) => client.mget(...keys),
      scan: (cursor) => client.scan(cursor, 'MATCH', 'user:*', 'COUNT', 100),
      info: () => client.info(),
      set: (key, value) => client.set(key, value),
      close: () => client.disconnect(),
    }
  },
  "Bun's own": async ({ port, password, isSecure }) => {
    const login = password ? `default:${password}@` : ''
    const url = `${isSecure ? 'rediss' : 'redis'}://${login}127.0.0.1:${port}`
    const client = new RedisClient(url, isSecure ? { tls: { rejectUnauthorized: false } } : {})
    await client.connect()
    return {
      get: (key) => client.get(key),
      mget: (keys) => client.mget(...(keys as [string])),
      scan: (cursor) => client.send('SCAN', [cursor, 'MATCH', 'user:*', 'COUNT', '100']) as Promise<[string, string[]]>,
      info: () => client.send('INFO', []) as Promise<string>,
      set: (key, value) => client.set(key, value),
      close: () => client.close(),
    }
  },
}

beforeAll(async () => void (users = await fillUsers(records)))

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Everything that a reader of the topic wants. */
async function readAll(client: Client): Promise<void> {
  await using _ = { [Symbol.asyncDispose]: async () => client.close() }
  expect(await client.get('user:7')).toBe('{"n":7}')
  expect(await client.get('none')).toBeNull()
  expect(await client.get('other')).toBe('ü'.repeat(10_000))
  expect(await client.mget(['user:1', 'none', 'user:2'])).toEqual(['{"n":1}', null, '{"n":2}'])
  const many = range(200)
  const gets = await Promise.all(many.map((index) => client.get(`user:${index}`)))
  expect(gets).toEqual(many.map((index) => `{"n":${index}}`))
  const keys: string[] = []
  let cursor = '0'
  do {
    const [next, found] = await client.scan(cursor)
    keys.push(...found)
    cursor = next
  } while (cursor !== '0')
  expect(keys.toSorted()).toEqual(
    range(records)
      .map((index) => `user:${index}`)
      .toSorted(),
  )
  expect(await client.info()).toContain('redis_version:7.4')
  expect(String(await client.set('a', 'b').catch((error: Error) => error.message))).toContain(
    "You can't write against a read only replica",
  )
}

describe('without a token', () => {
  let started: RedisStore

  beforeAll(async () => {
    started = await startRedisStore(users, { HTTP_THREADS: '2' })
    await started.latchkey.until('it is ready', () => started.latchkey.isReady())
  })
  afterAll(() => started[Symbol.asyncDispose]())

  test.each(Object.keys(clients))('%s reads the topic', async (name) => {
    await readAll(await clients[name]!({ port: started.port }))
  })

  test('the metrics count commands and connections of all threads', async () => {
    const metrics = await (await fetch(`${started.latchkey.url}/metrics`)).text()
    expect(metrics).toMatch(/latchkey_resp_commands_total\{command="get"\} [1-9]\d\d/)
    expect(metrics).toMatch(/latchkey_resp_lookups_total\{outcome="found"\} [1-9]\d\d/)
    expect(metrics).toMatch(/^latchkey_resp_connections \d+$/m)
  })
})

test.each(Object.keys(clients))(
  '%s waits until the store has recovered, or gets an error that it recovers',
  async (name) => {
    await using started = await startRedisStore(users)
    const client = await clients[name]!({ port: started.port })
    await using _ = { [Symbol.asyncDispose]: async () => client.close() }
    const answers = new Set<string>()
    await started.latchkey.until('the client finds a value', async () => {
      const answer = await client.get('user:1').catch((error: Error) => error.message)
      answers.add(String(answer))
      return answer === '{"n":1}'
    })
    for (const answer of answers) expect(answer).toMatch(/^(?:\{"n":1\}|null|LOADING Latchkey is loading.*)$/)
  },
)

describe('with TLS and a token', () => {
  let started: RedisStore

  beforeAll(async () => {
    const folder = temporaryFolder('redis-tls')
    const { cert, key } = makeCertificate()
    const paths = { SERVER_TLS_CERT: join(folder, 'cert.pem'), SERVER_TLS_KEY: join(folder, 'key.pem') }
    writeFileSync(paths.SERVER_TLS_CERT, cert)
    writeFileSync(paths.SERVER_TLS_KEY, key)
    started = await startRedisStore(users, { ...paths, SERVER_TOKEN: token })
    const client = await clients['ioredis']!({ port: started.port, password: token, isSecure: true })
    await started.latchkey.until('it serves', async () => (await client.get('user:1').catch(() => null)) !== null)
    await client.close()
  })
  afterAll(() => started[Symbol.asyncDispose]())

  test.each(Object.keys(clients))('%s reads the topic', async (name) => {
    await readAll(await clients[name]!({ port: started.port, password: token, isSecure: true }))
  })

  test('clients are refused with another token', async () => {
    const refused = Promise.withResolvers<string>()
    const socket = { host: '127.0.0.1', port: started.port, tls: true, rejectUnauthorized: false } as const
    const client = createClient({ socket: { ...socket, reconnectStrategy: false }, password: 'another' })
    client.on('error', (error: Error) => refused.resolve(error.message))
    client.connect().catch((error: Error) => refused.resolve(error.message))
    expect(await refused.promise).toContain('WRONGPASS')
  })

  test('a client without the token is refused', async () => {
    const client = new RedisClient(`rediss://127.0.0.1:${started.port}`, { tls: { rejectUnauthorized: false } })
    await using _ = { [Symbol.asyncDispose]: async () => client.close() }
    expect(await client.get('user:1').catch((error: Error) => error.message)).toMatch(/NOAUTH|Connection closed/)
  })
})
