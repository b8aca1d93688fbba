/** Redis's own tools, and redis-py, with their default settings. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { run } from '../support/process/run.ts'
import { fillUsers, type RedisStore, startRedisStore, type UsersTopic } from '../support/resp/redis-store.ts'

const timeoutMs = 60_000
const records = 500

let users: UsersTopic
let store: RedisStore

beforeAll(async () => {
  users = await fillUsers(records)
  store = await startRedisStore(users)
  await store.latchkey.until('it is ready', () => store.latchkey.isReady())
})
afterAll(() => store[Symbol.asyncDispose]())

async function cli(...words: string[]): Promise<string> {
  const { stdout, stderr } = await run(['redis-cli', '-p', String(store.port), ...words], timeoutMs)
  return stdout + stderr
}

describe('redis-cli', () => {
  test.each([
    [['get', 'user:7'], '{"n":7}\n'],
    [['-3', 'get', 'none'], '\n'],
    [['mget', 'user:1', 'none', 'user:2'], '{"n":1}\n\n{"n":2}\n'],
    [['exists', 'user:1', 'none'], '1\n'],
    [['dbsize'], `${records + 1}\n`],
    [['strlen', 'other'], '20000\n'],
    [['ping'], 'PONG\n'],
    [['-n', '1', 'ping'], 'ERR DB index is out of range'],
    [['set', 'a', 'b'], "READONLY You can't write against a read only replica.\n\n"],
    [['config', 'get', 'save'], 'save\n\n'],
    [['client', 'getname'], '\n'],
  ])('%p', async (words, output) => {
    expect(await cli(...words)).toContain(output)
  })

  test('lists the keys of a pattern', async () => {
    const keys = (await cli('--scan', '--pattern', 'user:1*')).trimEnd().split('\n')
    expect(keys).toHaveLength(111)
    expect(new Set(keys).size).toBe(111)
  })

  test('is interactive', async () => {
    const shell = `printf 'get user:1\\ninfo server\\nget\\n' | redis-cli -p ${store.port}`
    const { stdout } = await run(['sh', '-c', shell], timeoutMs)
    expect(stdout).toContain('{"n":1}')
    expect(stdout).toContain('redis_version:7.4')
    expect(stdout).toContain("ERR wrong number of arguments for 'get' command")
  })
})

describe('redis-benchmark', () => {
  test.each([
    ['1', ['GET', 'user:1']],
    ['16', ['GET', 'user:1']],
    ['16', ['MGET', 'user:1', 'none', 'other']],
  ])('-P %s %p', async (pipeline, words) => {
    const args = ['-p', String(store.port), '-n', '20000', '-P', pipeline, '-q', ...words]
    const { stdout, stderr, exitCode } = await run(['redis-benchmark', ...args], timeoutMs)
    expect(stdout + stderr).toContain('requests per second')
    expect(stdout + stderr).not.toMatch(/error/i)
    expect(exitCode).toBe(0)
  })
})

test('redis-py reads keys, many keys and all keys', async () => {
  const program = `
import redis
r = redis.Redis(port=${store.port}, decode_responses=True)
assert r.ping()
assert r.get('user:7') == '{"n":7}', r.get('user:7')
assert r.get('none') is None
assert r.mget('user:1', 'none') == ['{"n":1}', None]
assert len(set(r.scan_iter(match='user:*', count=50))) == ${records}
assert r.exists('user:1') == 1 and r.ttl('user:1') == -1 and r.type('user:1') == 'string'
with r.pipeline(transaction=False) as p:
    for n in range(${records}): p.get(f'user:{n}')
    assert p.execute() == ['{"n":%d}' % n for n in range(${records})]
assert r.info()['redis_version'].startswith('7.')
try:
    r.set('a', 'b')
    raise SystemExit('it has written')
except redis.exceptions.ReadOnlyError:
    print('ok')
`
  const { stdout, stderr } = await run(['/usr/bin/python3', '-c', program], timeoutMs)
  expect(stdout + stderr).toBe('ok\n')
})
