/** Tunnels that only wait for their clients are dropped for other requests. */
import { describe, expect, test } from 'bun:test'
import { createRequestHandler } from '../../../lib/http/handler.ts'
import { openListener } from '../../../lib/server/listener.ts'
import { FakeStore } from '../../support/http/fake-store.ts'
import { transports } from '../../support/http/transports.ts'
import { get } from '../../support/server/clients.ts'
import { answered, connect, fastPathOf, idleTicks } from '../../support/server/fake-connection.ts'
import { soon, until } from '../../support/until.ts'

const odd = get('a', 'X: 1\r\nX: 2\r\n')
const long = (request: string) => `${request} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n`

/** Accepts forwarded requests and never answers. */
function silentServer() {
  const reached: string[] = []
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (_, bytes) => void reached.push(bytes.toString()) },
  })
  return { reached, port: listener.port, [Symbol.dispose]: () => listener.stop(true) }
}

describe.each(transports)('$name', ({ tls, open, rawRequest }) => {
  test.each([
    ['a flush', long('POST /flush-store/orders'), 'HTTP/1.1 200 '],
    ['a flush of an unknown store', long('POST /flush-store/nothere'), 'HTTP/1.1 404 '],
    ['a lookup', long('GET /stores/orders/a'), 'HTTP/1.1 404 '],
  ])('a request that is answered and does not end is dropped for others when it is %s', async (_, request, status) => {
    // The tunnel would stay for minutes.
    const bounds = { tunnelsMax: 1, idleTimeoutSeconds: 255 }
    const requestHandler = createRequestHandler(new FakeStore())
    const listener = openListener({ bind: '127.0.0.1', port: 0, tls, requestHandler, ...bounds })
    const slow = await open(listener.port)
    const ended = new Promise((resolve) => slow.on('end', resolve))
    const answer = new Promise((resolve) => slow.once('data', (chunk) => resolve(String(chunk))))
    slow.write(request)
    expect(await soon('its answer', answer)).toStartWith(status)
    slow.write('x')
    expect(await soon('the answer to another', rawRequest(listener.port, odd))).toStartWith('HTTP/1.1 404 ')
    await soon('the end of its connection', ended)
    slow.destroy()
    await listener.stop(0)
  })
})

test('a request whose head does not end is dropped for others after three seconds, and not before', async () => {
  using upstream = silentServer()
  const { reached } = upstream
  const host = fastPathOf(answered, upstream.port)
  const [slow, other] = [connect(host, Infinity), connect(host, Infinity)]
  for (const piece of ['HEAD /', 'livez']) slow.connection.received(Buffer.from(piece))
  await until('it is forwarded', () => reached.join('') === 'HEAD /livez')
  other.connection.received(Buffer.from(odd))
  for (const each of [1, 2]) {
    slow.connection.expire(idleTicks)
    expect([each, slow.socket.calls]).toEqual([each, []])
  }
  slow.connection.expire(idleTicks)
  await until('the other one is forwarded', () => reached.join('') === `HEAD /livez${odd}`)
  expect(slow.socket.calls).toEqual(['end'])
  for (const { connection } of [slow, other]) connection.closed()
})

test('a request whose head took long and has ended is not dropped for others', async () => {
  using upstream = silentServer()
  const { reached } = upstream
  const host = fastPathOf(answered, upstream.port)
  const [slow, other] = [connect(host, Infinity), connect(host, Infinity)]
  for (const piece of ['HEAD /', 'livez HTTP/1.1\r\n']) slow.connection.received(Buffer.from(piece))
  await until('it is forwarded', () => reached.join('').endsWith('1.1\r\n'))
  for (let tick = 0; tick < 3; tick++) slow.connection.expire(idleTicks)
  slow.connection.received(Buffer.from('Host: a\r\n\r\n'))
  other.connection.received(Buffer.from(odd))
  await until('its end is forwarded', () => reached.join('').endsWith('\r\n\r\n'))
  expect(slow.socket.calls).toEqual([])
  for (const { connection } of [slow, other]) connection.closed()
})

test('a request whose head is complete does not wait for those whose heads are not', async () => {
  using upstream = silentServer()
  const { reached } = upstream
  const host = fastPathOf(answered, upstream.port)
  const [first, slow, other] = [connect(host, Infinity), connect(host, Infinity), connect(host, Infinity)]
  for (const { connection } of [first, slow]) connection.received(Buffer.from('HEAD /'))
  for (const piece of [odd.slice(0, 30), odd.slice(30, 40), odd.slice(40)]) {
    other.connection.received(Buffer.from(piece))
  }
  await until('the first is forwarded', () => reached.length === 1)
  first.connection.closed()
  await until('the complete one is forwarded', () => reached.length === 2)
  expect(reached).toEqual(['HEAD /', odd])
  for (const { connection } of [slow, other]) connection.closed()
})
