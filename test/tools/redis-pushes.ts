/** redis-cli subscribes to changes of a topic, and redis-py keeps its near cache right. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { change, fillUsers, type RedisStore, startRedisStore, type UsersTopic } from '../support/resp/redis-store.ts'
import { until } from '../support/until.ts'

let users: UsersTopic
let store: RedisStore

beforeAll(async () => {
  users = await fillUsers(20)
  store = await startRedisStore(users, { AUTO_FLUSH_SECONDS: '1' })
  await store.latchkey.until('it is ready', () => store.latchkey.isReady())
})
afterAll(() => store[Symbol.asyncDispose]())

/** A program that prints lines, and ends with the test. */
class Program implements AsyncDisposable {
  output = ''
  readonly #process: Bun.Subprocess<'pipe', 'pipe', 'inherit'>
  readonly #read: Promise<void>

  constructor(command: readonly string[]) {
    this.#process = Bun.spawn([...command], { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit' })
    this.#read = this.#readAll()
  }

  write(text: string): void {
    void this.#process.stdin.write(text)
    void this.#process.stdin.flush()
  }

  async shows(text: string): Promise<void> {
    await until(`it shows ${JSON.stringify(text)} and not only ${JSON.stringify(this.output)}`, () =>
      this.output.includes(text),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill()
    await this.#process.exited
    await this.#read
  }

  async #readAll(): Promise<void> {
    for await (const bytes of this.#process.stdout) this.output += Buffer.from(bytes).toString()
  }
}

const port = () => String(store.port)

test.each([[[]], [['-3']]])('redis-cli %j shows messages of channels and patterns', async (options) => {
  await using channels = new Program(['redis-cli', ...options, '-p', port(), 'subscribe', '__keyspace@0__:cli'])
  await using patterns = new Program(['redis-cli', ...options, '-p', port(), 'psubscribe', '__keyevent@0__:*'])
  await channels.shows('subscribe\n__keyspace@0__:cli\n1\n')
  await patterns.shows('psubscribe\n__keyevent@0__:*\n1\n')
  await change(users, 'cli', 'x')
  await channels.shows('message\n__keyspace@0__:cli\nset\n')
  await patterns.shows('pmessage\n__keyevent@0__:*\n__keyevent@0__:set\ncli\n')
  await change(users, 'cli', null)
  await channels.shows('message\n__keyspace@0__:cli\ndel\n')
  await patterns.shows('pmessage\n__keyevent@0__:*\n__keyevent@0__:del\ncli\n')
})

test('redis-py asks its near cache first, which has the new value after a change', async () => {
  const program = `
import sys, redis
from redis.cache import CacheConfig
r = redis.Redis(port=${port()}, protocol=3, cache_config=CacheConfig(), decode_responses=True)
for line in sys.stdin:
    key = line.strip()
    print(key, r.get(key), len(r.get_cache().collection), flush=True)
`
  await using python = new Program(['python3', '-c', program])
  python.write('user:1\nuser:1\nuser:2\n')
  await python.shows('user:1 {"n":1} 1\nuser:1 {"n":1} 1\nuser:2 {"n":2} 2\n')
  const lookups = async () => {
    const metrics = await (await fetch(`${store.latchkey.url}/metrics`)).text()
    return Number(/latchkey_resp_commands_total\{command="get"\} (\d+)/.exec(metrics)![1])
  }
  // Twice of the same key: one lookup.
  expect(await lookups()).toBe(2)
  // It does not keep that a key is missing, so that comes last.
  let counted = 0
  for (const value of ['new', 'newer', null]) {
    if (value === null) counted = await lookups()
    await change(users, 'user:1', value)
    const shown = `user:1 ${value ?? 'None'} `
    await until(`it reads ${shown}`, () => {
      python.write('user:1\n')
      return python.output.includes(shown)
    })
  }
  expect(counted).toBeLessThanOrEqual(6)
})
