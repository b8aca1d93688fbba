import { expect, test } from 'bun:test'
import { createServer } from 'node:http'
import { problemOf } from '../support/http/fake-store.ts'
import { keyIn } from '../support/routing/fake-copies.ts'
import { type FakePeer, responseOf, startFakePeer } from '../support/routing/fake-peer.ts'
import {
  announce,
  type Instance,
  type InstanceOptions,
  plan,
  put,
  startInstance,
} from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

const token = 'a token of the group'

/** What a lookup says of the only copy of its partition. */
async function saidOf(peer: FakePeer, options: InstanceOptions = {}): Promise<string> {
  await using a = startInstance('a', options)
  plan([a], [['fake'], ['a'], ['a'], ['a']], [peer])
  const problem = await problemOf(await a.get(keyIn(0)))
  expect(problem.code).toBe('owner_unreachable')
  return (problem['tried'] as [{ said: string }])[0].said
}

test.each([
  ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', 'it does not speak HTTP/1.1'],
  ['a head without an end', 'HTTP/1.1 200 OK\r\n'.padEnd(40_000, 'x'), 'the head of its response has no end'],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\n', 'its response has no length'],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'its response has no length'],
  [
    'two lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'its response has no clear length',
  ],
  ['too much', 'HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n', 'its response has 99999999999 bytes'],
  ['a page', responseOf('<html>', 'text/html'), 'it answered 200'],
  ['404', responseOf('no', 'text/plain', '404 Not FoundKey'), 'it answered 404'],
  ['garbage', responseOf('x'.repeat(100)), 'its answer cannot be used'],
  [
    'more than its response',
    `${responseOf('x').toString('latin1')}HTTP/1.1 200 OK`,
    'more than its response has arrived',
  ],
])('a peer that answers with %s is named, and what it did', async (_, bytes, said) => {
  using fake = startFakePeer((socket) => void socket.write(bytes))
  expect(await saidOf(fake)).toStartWith(said)
})

test('a peer that closes the connection is named', async () => {
  using fake = startFakePeer((socket) => void socket.end())
  expect(await saidOf(fake)).toStartWith('it closed the connection')
})

test('what a problem of a peer says is shown without control characters', async () => {
  const problem = JSON.stringify({ code: 'unauthorized', detail: 'a\u001b[31m\nb' })
  using fake = startFakePeer((socket) => void socket.write(responseOf(problem, 'application/problem+json', '401 x')))
  expect(await saidOf(fake)).toBe('it answered 401: a?[31m?b')
})

test('a peer that says nothing delays a lookup by a hedge, and then no lookup', async () => {
  using silent = startFakePeer()
  let hedges = 0
  await using a = startInstance('a', { counts: { observe() {}, hedged: () => void hedges++ } })
  await using b = startInstance('b')
  plan([a, b], [['fake', 'b'], ['a'], ['a'], ['a']], [silent])
  put([b], keyIn(0), 'value')
  const lookups = Array.from({ length: 50 }, () => a.get(keyIn(0)))
  for (const response of await Promise.all(lookups)) {
    expect([response.status, response.headers.get('x-latchkey-instance')]).toEqual([200, 'b'])
  }
  expect(hedges).toBeGreaterThan(0)
  // It is down after its requests have timed out; then it is asked last.
  await until('the peer is down', () => a.routing.peers.of('member-fake')!.breaker.down !== undefined)
  expect(a.routing.table.candidates(0)).toEqual(['member-b', 'member-fake'])
  expect((await a.get(keyIn(0))).status).toBe(200)
})

test('lookups that a silent peer holds end, and nothing is left of them', async () => {
  using silent = startFakePeer()
  await using a = startInstance('a')
  plan([a], [['fake'], ['a'], ['a'], ['a']], [silent])
  const peer = a.routing.peers.of('member-fake')!
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12_000 }, (_, at) => a.routing.store.get(Buffer.from(keyIn(0)), at % 2)),
  )
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
  await until('nothing waits', () => peer.isIdle)
  await until('all connections are closed', () => silent.connections() === 0)
})

test('a peer that drips an answer of a gibibyte holds no more than has arrived', async () => {
  using dripping = startFakePeer((socket) => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: 1000000000\r\n\r\n`)
    socket.write('x'.repeat(1_000))
  })
  await using a = startInstance('a')
  plan([a], [['fake'], ['a'], ['a'], ['a']], [dripping])
  const before = process.memoryUsage().rss
  expect((await a.get(keyIn(0))).status).toBe(503)
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000)
})

test('a member whose URL leads to another one is not believed', async () => {
  await using a = startInstance('a')
  await using b = startInstance('b')
  put([b], keyIn(0), 'value of another')
  plan([a, b], [['fake'], ['b'], ['a'], ['a']], [{ name: 'fake', url: b.url }])
  b.store.copies.set(0, { role: 0, isReady: true, caughtUp: true, isHalted: false, lag: undefined })
  const problem = await problemOf(await a.get(keyIn(0)))
  expect(problem['tried']).toMatchObject([{ said: 'another instance, b, answers at its URL' }])
  expect(b.store.lookups).toBe(0)
})

test('a member without the token learns neither it nor a value, and is not believed', async () => {
  let requests = ''
  await using a = startInstance('a', { token })
  await using stranger = startInstance('stranger')
  using tap = startFakePeer((_, bytes) => (requests += bytes.toString('latin1')))
  plan([a, stranger], [['fake'], ['stranger'], ['a'], ['a']], [tap])
  put([a], keyIn(2), 'secret value')
  const said = (await problemOf(await a.get(keyIn(1))))['tried']
  expect(said).toMatchObject([{ said: expect.stringContaining('it is not signed') }])
  // Nor is a stranger answered.
  const asked = await stranger.get(keyIn(2))
  expect(await problemOf(asked)).toMatchObject({ code: 'owner_unreachable' })
  expect(JSON.stringify(await (await stranger.get(keyIn(2))).json())).toContain('it is not signed')
  await a.get(keyIn(0))
  expect(requests).toContain('POST /group/orders/read')
  expect(requests).not.toContain(token)
})

test('two tokens: each says so, and neither is believed', async () => {
  await using a = startInstance('a', { token })
  await using b = startInstance('b', { token: 'another token' })
  plan([a, b], [['b'], ['a'], ['a'], ['a']])
  put([b], keyIn(0), 'value')
  const problem = await problemOf(await a.get(keyIn(0)))
  expect(problem.detail).toContain('it is signed with another SERVER_TOKEN')
})

test('a token that is replaced at one instance after the other fails no lookup', async () => {
  await using a = startInstance('a', { token })
  await using b = startInstance('b', { token })
  plan([a, b], [['b'], ['a'], ['a'], ['a']])
  put([a, b], keyIn(0), 'value')
  put([a, b], keyIn(1), 'value')
  const both = async () => {
    const read = (instance: Instance, partition: number) => instance.routing.store.get(Buffer.from(keyIn(partition)))
    return (await Promise.all([read(a, 0), read(b, 1)])).map(({ instance }) => instance)
  }
  expect(await both()).toEqual(['b', 'a'])
  a.routing.replaceToken('the next token of the group')
  expect(await both()).toEqual(['b', 'a'])
  b.routing.replaceToken('the next token of the group')
  expect(await both()).toEqual(['b', 'a'])
})

test('a peer that refuses the name of its URL is named, and no other copy is asked', async () => {
  await using a = startInstance('a')
  const detail = 'Checking the Host of the request: "b.example" is not an address; list it in SERVER_HOSTS'
  const refusal = JSON.stringify({ code: 'host_not_allowed', detail })
  using fake = startFakePeer((socket) => void socket.write(responseOf(refusal, 'application/problem+json', '421 x')))
  await using b = startInstance('b')
  put([b], keyIn(0), 'value')
  plan([a, b], [['fake', 'b'], ['a'], ['a'], ['a']], [fake])
  const problem = await problemOf(await a.get(keyIn(0)))
  expect(problem['tried']).toMatchObject([{ said: `it answered 421: ${detail}` }, {}])
  // From then on it is asked last.
  expect((await a.get(keyIn(0))).status).toBe(200)
})

test('HTTP_PROXY has no effect', async () => {
  using proxy = startFakePeer()
  await using a = startInstance('a')
  await using b = startInstance('b')
  plan([a, b], [['b'], ['a'], ['a'], ['a']])
  put([b], keyIn(0), 'value')
  const before = process.env['HTTP_PROXY']
  process.env['HTTP_PROXY'] = proxy.url
  try {
    expect(await a.routing.store.get(Buffer.from(keyIn(0)))).toMatchObject({ instance: 'b' })
  } finally {
    if (before === undefined) delete process.env['HTTP_PROXY']
    else process.env['HTTP_PROXY'] = before
  }
  expect(proxy.received()).toBe('')
})

test('a peer that has returned is asked again', async () => {
  await using a = startInstance('a')
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  plan([a], [['b'], ['a'], ['a'], ['a']], [{ name: 'b', url: `http://127.0.0.1:${port}` }])
  expect((await a.get(keyIn(0))).status).toBe(503)
  await using b = startInstance('b', { listen: { port } })
  plan([a, b], [['b'], ['a'], ['a'], ['a']])
  put([b], keyIn(0), 'value')
  await until('it is up', () => a.routing.peers.of('member-b')!.breaker.down === undefined)
  expect((await a.get(keyIn(0))).status).toBe(200)
})

test('each refused connection of a peer is reported, also when it was down before for another reason', async () => {
  const suspected: string[] = []
  const fake = startFakePeer((socket) => void socket.end())
  await using a = startInstance('a', { suspect: (memberId) => void suspected.push(memberId) })
  plan([a], [['fake'], ['a'], ['a'], ['a']], [fake])
  const { breaker } = a.routing.peers.of('member-fake')!
  await until('the peer is down', async () => {
    await a.get(keyIn(0))
    return breaker.down?.kind === 'unreachable'
  })
  expect(suspected).toEqual([])
  fake[Symbol.dispose]()
  await until('two connections are refused', () => suspected.length >= 2)
  expect(new Set(suspected)).toEqual(new Set(['member-fake']))
})

test('a process that has ended is noticed without a lookup', async () => {
  const suspected: string[] = []
  const reached: string[] = []
  await using a = startInstance('a', {
    suspect: (memberId) => void suspected.push(memberId),
    reached: (memberId) => void reached.push(memberId),
  })
  const b = startInstance('b')
  plan([a, b], [['b'], ['a'], ['a'], ['a']])
  put([b], keyIn(0), 'value')
  expect((await a.get(keyIn(0))).status).toBe(200)
  expect([reached, suspected]).toEqual([['member-b'], []])
  await b[Symbol.asyncDispose]()
  await until('it is suspected', () => suspected.includes('member-b'))
})

test('a member that answers first that it has no place yet counts as reached once it has one', async () => {
  const reached: string[] = []
  await using a = startInstance('a', { reached: (memberId, url) => void reached.push(`${memberId} ${url}`) })
  await using b = startInstance('b')
  const holders = [['b'], ['a'], ['a'], ['a']]
  plan([a], holders, [b])
  const peer = a.routing.peers.of('member-b')!
  expect(await peer.check()).toMatchObject({ kind: 'joining' })
  // Any instance that joins says this: it does not show which member it is.
  expect(reached).toEqual([])
  announce([b], holders, [a])
  expect(await peer.check()).toEqual([])
  expect(await peer.check()).toEqual([])
  expect(reached).toEqual([`member-b ${b.url}`])
})
