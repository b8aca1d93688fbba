/** Another token: what was begun with the former one ends, and new requests need the new one at once. */
import { describe, expect, spyOn, test } from 'bun:test'
import type { Socket } from 'node:net'
import { Token } from '../../lib/text/token.ts'
import { openPlainSocket } from '../support/http/connect.ts'
import { type Served, serveFake } from '../support/http/fake-store.ts'
import { type RequestPath, requestPaths } from '../support/http/request-paths.ts'
import { serveResp } from '../support/resp/serve-resp.ts'
import { statusesIn } from '../support/server/clients.ts'
import { until } from '../support/until.ts'

const line = (path: string, token: string, more = '') =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n${more}`

interface Client {
  readonly socket: Socket
  text: string
  isEnded: boolean
}

function clientOf(socket: Socket): Client {
  const client: Client = { socket, text: '', isEnded: false }
  socket.on('data', (bytes) => (client.text += bytes.toString('latin1')))
  socket.on('close', () => (client.isEnded = true))
  socket.on('error', () => {})
  return client
}

/** Opens a connection and sends a request over it. */
function ask({ openSocket, headers }: RequestPath, { server }: Served, path: string, more = ''): Client {
  const client = clientOf(openSocket(server.port, () => {}))
  client.socket.write(`${line(path, 'former', more)}${headers}\r\n`)
  return client
}

/** Ticks of all listeners that are opened later, to be called by the test. */
function catchTicks() {
  const ticks: (() => void)[] = []
  const setInterval = globalThis.setInterval
  const spy = spyOn(globalThis, 'setInterval').mockImplementation(((tick: () => void, ms: number) => {
    if (ms === 1_000) ticks.push(tick)
    return setInterval(ms === 1_000 ? () => {} : tick, ms)
  }) as never)
  return { tick: () => ticks.forEach((one) => one()), [Symbol.dispose]: () => spy.mockRestore() }
}

describe.each(requestPaths)('$name', (path) => {
  const serve = (token: Token) => serveFake({ tls: path.tls, hasFastPath: path.hasFastPath, token })

  test('streams end whole, also one that begins just then, and waits are answered', async () => {
    const token = new Token('former')
    await using served = serve(token)
    const { store, server } = served
    const status = ask(path, served, '/status-store/orders/events')
    const feed = ask(path, served, '/changes/orders')
    await until('the status is there', () => status.text.includes('event: status'))
    await until('the stream is there', () => feed.text.includes('200 OK') && store.changes.followers.length === 1)
    const gate = Promise.withResolvers<void>()
    let begun = 0
    store.changes.onFollow = () => {
      begun++
      return gate.promise
    }
    const late = ask(path, served, '/changes/orders')
    await until('the other one begins', () => begun === 1)
    const waiting = ask(path, served, '/stores/orders/a', 'Prefer: wait=60\r\n')
    await until('it waits', () => store.changes.waiting === 1)
    token.replace('latter')
    server.tokenReplaced()
    gate.resolve()
    // Bun's server sends a short body with its length.
    const isWhole = ({ text }: Client) => /200 OK[^]*(0\r\n\r\n|length: 38\r\n\r\n[^]{38})$/i.test(text)
    await until('the stream ends', () => isWhole(feed))
    await until('the status ends', () => status.text.endsWith('0\r\n\r\n'))
    await until('the other one ends', () => isWhole(late))
    await until('the wait is over', () => statusesIn(waiting.text).includes(404))
    expect(store.changes.followers.every(({ isClosed }) => isClosed)).toBe(true)
  })

  test('a kept connection ends with its next response, which needs the new token at once', async () => {
    const token = new Token('former')
    await using served = serve(token)
    const clients = ['former', 'latter'].map(() => ask(path, served, '/metrics'))
    await until('they are answered', () => clients.every(({ text }) => statusesIn(text).length === 1))
    token.replace('latter')
    served.server.tokenReplaced()
    for (const [index, given] of ['former', 'latter'].entries()) {
      clients[index]!.socket.write(`${line('/metrics', given)}${path.headers}\r\n`)
    }
    await until('the connections end', () => clients.every(({ isEnded }) => isEnded))
    expect(clients.map(({ text }) => statusesIn(text))).toEqual([
      [200, 401],
      [200, 200],
    ])
    const last = clients.map(({ text }) => text.slice(text.lastIndexOf('HTTP/1.1 ')))
    for (const text of last) expect(text).toMatch(/\r\nConnection: close\r\n/i)
  })
})

test('a connection that is still open after 45 s is closed, and one that came later stays', async () => {
  using clock = catchTicks()
  const token = new Token('former')
  await using served = serveFake({ token, idleTimeoutSeconds: 200 })
  await using redis = serveResp({ token })
  const [idle, authenticated, unknown] = [served.server.port, redis.port, redis.port].map((port) =>
    clientOf(openPlainSocket(port, () => {})),
  )
  idle!.socket.write(`${line('/metrics', 'former')}\r\n`)
  authenticated!.socket.write('AUTH former\r\nPING\r\n')
  unknown!.socket.write('PING\r\n')
  await until('they are answered', () => authenticated!.text.includes('PONG') && unknown!.text.includes('NOAUTH'))
  await until('HTTP answers, too', () => idle!.text.includes('200 OK'))
  token.replace('latter')
  for (const { server } of [served, redis]) server.tokenReplaced()
  await until('the client of Redis is disconnected', () => authenticated!.isEnded)
  unknown!.socket.write('AUTH former\r\nAUTH latter\r\n')
  await until('a client that had not authenticated can', () => unknown!.text.endsWith('+OK\r\n'))
  expect(unknown!.text).toContain('WRONGPASS')
  const later = clientOf(openPlainSocket(served.server.port, () => {}))
  later.socket.write(`${line('/metrics', 'latter')}\r\n`)
  await until('the other one is answered', () => later.text.includes('200 OK'))
  for (let second = 0; second < 44; second++) clock.tick()
  expect(idle!.isEnded).toBe(false)
  clock.tick()
  await until('it is closed', () => idle!.isEnded)
  expect([later.isEnded, unknown!.isEnded]).toEqual([false, false])
})

test('no command of a client of Redis is answered after the token was replaced, and nothing is pushed', async () => {
  const token = new Token('former')
  await using redis = serveResp({ token })
  const client = clientOf(openPlainSocket(redis.port, () => {}))
  client.socket.write('HELLO 3 AUTH default former\r\nSUBSCRIBE __keyspace@0__:a\r\n')
  await until('it has subscribed', () => client.text.includes('subscribe'))
  token.replace('latter')
  client.socket.write('GET a\r\n')
  redis.store.change('a', '1')
  redis.server.tokenReplaced()
  const before = client.text
  await until('it is disconnected', () => client.isEnded)
  expect(client.text).toBe(before)
})
