import { expect, test } from 'bun:test'
import { answerHere, awaitPromotion } from '../../lib/routing/route-table.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { keyIn, primary, replica } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { announce, countRequests, plan, put, startInstance, startInstanceOf } from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

const token = 'a token of the group'

test.each([[undefined], [token]])('every instance answers every key, with the token %p', async (given) => {
  await using a = startInstance('a', { token: given })
  await using b = startInstance('b', { token: given })
  plan([a, b], [['a'], ['b'], ['a', 'b'], ['b', 'a']])
  for (const partition of [0, 1, 2, 3]) {
    const key = keyIn(partition)
    put([a, b], key, `value of ${partition}`)
    const owner = partition % 2 === 0 ? a : b
    for (const instance of [a, b]) {
      const response = await instance.get(key)
      expect([response.status, await response.text()]).toEqual([200, `value of ${partition}`])
      expect(response.headers.get('x-kafka-partition')).toBe(String(partition))
      expect(response.headers.get('x-latchkey-instance')).toBe(instance === owner ? null : owner.name)
      expect(response.headers.get('x-latchkey-role')).toBeNull()
    }
  }
})

test('a key that does not exist is 404 at each instance, with what its owner knows', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], [['a'], ['b'], ['a'], ['b']])
  b.store.copies.set(1, { role: 0, isReady: true, caughtUp: false, isHalted: false, lag: undefined })
  for (const instance of [a, b]) {
    const response = await instance.get(keyIn(1))
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await problemOf(response)).toMatchObject({ status: 404, code: 'key_not_found', caughtUp: false })
    expect(await problemOf(await instance.get(keyIn(3)))).toMatchObject({ status: 404, caughtUp: true })
  }
  expect((await a.get(keyIn(3))).headers.get('x-latchkey-instance')).toBe('b')
})

test('a key that becomes visible while it is looked up is not missing, as what is said of its copy counts for it', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], [['a'], ['b'], ['a'], ['b']])
  const look = b.store.onGet
  const found = await Promise.all(
    [a, b].map(async (asked, at) => {
      const key = keyIn(1, asked.name)
      b.store.onGet = (wanted) => {
        const before = look(wanted)
        b.store.records.set(Buffer.from(wanted).toString(), `value ${at}`)
        return before
      }
      const response = await asked.get(key)
      return [response.status, await response.text()]
    }),
  )
  expect(found).toEqual([
    [200, expect.stringContaining('value')],
    [200, expect.stringContaining('value')],
  ])
})

test('a lookup is answered by a standby when the primary does not listen', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  const gone = startInstance('gone')
  plan([a, b, gone], [['gone', 'b'], ['gone', 'a'], ['a'], ['b']])
  put([a, b], keyIn(0), 'zero')
  put([a, b], keyIn(1), 'one')
  await gone[Symbol.asyncDispose]()
  const elsewhere = await a.get(keyIn(0))
  expect([elsewhere.status, await elsewhere.text()]).toEqual([200, 'zero'])
  expect(elsewhere.headers.get('x-latchkey-role')).toBe('replica')
  const here = await a.get(keyIn(1))
  expect([here.status, await here.text(), here.headers.get('x-latchkey-instance')]).toEqual([200, 'one', null])
})

test('a lookup that no copy answers names each copy that was asked, and why', async () => {
  await using a = startInstance('a')
  const gone = startInstance('gone')
  plan([a, gone], [['gone'], ['a'], ['a'], ['a']])
  await gone[Symbol.asyncDispose]()
  const response = await a.get(keyIn(0))
  expect(response.headers.get('retry-after')).toBe('1')
  const problem = await problemOf(response)
  expect(problem).toMatchObject({ status: 503, code: 'owner_unreachable', partition: 0 })
  expect(problem['tried']).toEqual([{ url: gone.url, role: 'primary', said: 'the connection was refused' }])
  expect(problem.detail).toContain(`${gone.url} (primary): the connection was refused`)
})

test('a lookup is never sent on: plans that contradict each other make no loop', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], [['a'], ['b'], ['a'], ['b']])
  announce([a], [['b'], ['b'], ['a'], ['b']], [b])
  a.store.copies.delete(0)
  const before = b.store.lookups
  expect(await problemOf(await a.get(keyIn(0)))).toMatchObject({ code: 'owner_unreachable' })
  // The decision of before, at most.
  expect(a.store.lookups).toBeLessThan(2)
  expect(b.store.lookups).toBeGreaterThan(before)
})

test('max-lag counts at the copy that answers, and a fresher copy is asked', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  await using c = startInstance('c')
  plan([a, b, c], [['b', 'c'], ['a'], ['a'], ['a']])
  put([b, c], keyIn(0), 'value')
  b.store.copies.set(0, { ...replica, lag: 90 })
  c.store.copies.set(0, { ...replica, lag: 3 })
  const fresh = await a.get(keyIn(0), '?max-lag=10')
  expect([fresh.status, fresh.headers.get('x-latchkey-lag')]).toEqual([200, '3'])
  expect(await problemOf(await a.get(keyIn(0), '?max-lag=1'))).toMatchObject({ status: 503, code: 'too_stale' })
  expect(await problemOf(await a.get(keyIn(0, 'none'), '?max-lag=1'))).toMatchObject({ code: 'too_stale' })
  expect((await a.get(keyIn(0))).headers.get('x-latchkey-lag')).toBe('90')
})

test('with ROUTING=none, who asks gets the URL of the instance that has the key', async () => {
  await using a = startInstance('a', { mode: 'none' })
  await using b = startInstance('b', { mode: 'none' })
  plan([a, b], [['b'], ['b', 'a'], ['a'], ['b']])
  put([a, b], keyIn(1), 'one')
  expect(await problemOf(await a.get(keyIn(0)))).toMatchObject({
    status: 421,
    code: 'partition_not_held',
    partition: 0,
    owner: b.url,
  })
  expect((await a.get(keyIn(1))).headers.get('x-latchkey-role')).toBe('replica')
  expect(b.store.lookups).toBe(0)
})

test('with ROUTING=none, a page, a stream and a count say of how many partitions they are', async () => {
  const store = new FakeEntries('mark-a')
  await using a = startInstanceOf('a', store, { mode: 'none' })
  await using b = startInstance('b', { mode: 'none' })
  plan([a, b], [['a'], ['a'], ['b'], ['b']])
  store.heldPartitions = [0, 1]
  const partsOf = async (query: string, accept: string) => {
    const answer = await fetch(`${a.url}/stores/orders${query}`, { headers: { accept } })
    return [answer.status, answer.headers.get('x-latchkey-partitions')]
  }
  const requests = [
    ['?limit=5', 'application/json'],
    ['', 'application/x-ndjson'],
    ['?count', 'application/json'],
    ['?count&prefix=a', 'application/json'],
  ] as const
  const asked = () => Promise.all(requests.map(([query, accept]) => partsOf(query, accept)))
  expect(await asked()).toEqual(requests.map(() => [200, '2/4']))
  store.heldPartitions = [0, 1, 2, 3]
  for (const partition of store.heldPartitions) store.copies.set(partition, primary)
  expect(await asked()).toEqual(requests.map(() => [200, null]))
})

test('before the first plan a lookup is answered 503', async () => {
  await using a = startInstance('a')
  expect(await problemOf(await a.get('key'))).toMatchObject({ status: 503, code: 'recovering' })
})

test('lookups of one moment travel in few requests', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], [['b'], ['b'], ['b'], ['b']])
  const keys = Array.from({ length: 500 }, (_, index) => `key${index}`)
  for (const key of keys) put([b], key, `value of ${key}`)
  const requests = countRequests(b)
  const found = await Promise.all(keys.map((key) => a.routing.store.get(Buffer.from(key))))
  expect(found.map(({ value }) => Buffer.from(value).toString())).toEqual(keys.map((key) => `value of ${key}`))
  expect(requests()).toBeLessThan(10)
})

test('a lookup does not wait for one with max-lag that its owner holds', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], [['a'], ['b'], ['a'], ['b']])
  put([a, b], keyIn(1), 'value')
  const released = Promise.withResolvers<void>()
  const look = b.store.get.bind(b.store)
  let held = 0
  b.store.get = (key: Uint8Array, maxLag?: number) => {
    if (maxLag === undefined) return look(key)
    held++
    return released.promise.then(() => look(key))
  }
  const latest = Array.from({ length: 3 }, () => a.get(keyIn(1), '?max-lag=0'))
  const response = await a.get(keyIn(1))
  expect([response.status, await response.text()]).toEqual([200, 'value'])
  await until('they are held beside each other', () => held === 3)
  released.resolve()
  expect((await Promise.all(latest)).map(({ status }) => status)).toEqual([200, 200, 200])
})

test('values that do not fit into one answer are asked for again, and one may be larger than that', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b', { answerBytes: 16_000 })
  plan([a, b], [['b'], ['b'], ['b'], ['b']])
  const sizes = [9_000, 1, 9_000, 40_000, 9_000, 2]
  for (const [at, size] of sizes.entries()) put([b], `key${at}`, String(at).repeat(size))
  const found = await Promise.all(sizes.map((_, at) => a.routing.store.get(Buffer.from(`key${at}`))))
  expect(found.map(({ value }) => value.length)).toEqual(sizes)
  expect(found.map(({ value }) => String.fromCharCode(value[0]!, value.at(-1)!))).toEqual(
    sizes.map((_, at) => `${at}${at}`),
  )
})

test('an instance of another store at the URL of a member is not asked again', async () => {
  await using a = startInstance('a')
  await using other = serveFake()
  plan([a], [['fake'], ['a'], ['a'], ['a']], [{ name: 'fake', url: other.url }])
  expect((await problemOf(await a.get(keyIn(0)))).detail).toContain('it answered 404')
  expect(a.routing.peers.of('member-fake')!.breaker.down?.kind).toBe('elsewhere')
})

test('a role that has changed decides at once', async () => {
  await using a = startInstance('a')
  plan([a], [['a'], ['a'], ['a'], ['a']])
  const { table } = a.routing
  const before = [...table.decision]
  a.store.copies.set(1, replica)
  a.store.copies.changed()
  expect([before, [...table.decision]]).toEqual([
    [answerHere, answerHere, answerHere, answerHere],
    [answerHere, awaitPromotion, answerHere, answerHere],
  ])
})
