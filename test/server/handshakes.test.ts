/** Clients that take their time with a TLS handshake, or know nothing of TLS. */
import { afterEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { configureLogging } from '../../lib/log/index.ts'
import { Handshakes } from '../../lib/server/handshakes.ts'
import { openListener } from '../../lib/server/listener.ts'
import { holdBefore } from '../support/http/held-proxy.ts'
import { tls, transports } from '../support/http/transports.ts'
import { linesAt } from '../support/log/lines.ts'
import { get, isAnswered, statusesIn } from '../support/server/clients.ts'
import { until } from '../support/until.ts'

const { open, rawRequest, serveFake } = transports.find((transport) => transport.tls !== undefined)!
/** The record of a handshake, of 512 bytes, and how its client greets. */
const beginning = Buffer.from('160301020001', 'hex')

/** A client without TLS. */
function openTcpSocket(port: number) {
  const socket = connect(port, '127.0.0.1').resume()
  socket.on('error', () => {})
  return socket
}

afterEach(() => configureLogging({ level: 'error', structured: false }))

describe('a handshake', () => {
  test('is dropped at its timeout, and no sooner', () => {
    const destroy: string[] = []
    const [first, second] = ['first', 'second'].map((name) => ({ terminate: () => void destroy.push(name) }))
    const handshakes = new Handshakes()
    handshakes.begin(first!, 0)
    handshakes.begin(second!, 1)
    handshakes.expire(10, 10)
    expect(destroy).toEqual([])
    handshakes.expire(11, 10)
    expect(destroy).toEqual(['first'])
    expect(handshakes.end(first!)).toMatchObject({ begunAt: 0 })
    expect(handshakes.end(first!)).toBeUndefined()
    handshakes.expire(12, 10)
    expect(destroy).toEqual(['first', 'second'])
    expect(handshakes.size).toBe(1)
  })

  test('has a timeout when a client sends none of it, a part, or single bytes', async () => {
    await using served = serveFake({ idleTimeoutSeconds: 2 })
    const { port } = served.server
    const [silent, destroy, slow] = [openTcpSocket(port), openTcpSocket(port), openTcpSocket(port)]
    destroy.write(beginning)
    slow.write(beginning)
    const dribbling = setInterval(() => slow.writable && slow.write('\0'), 20)
    expect(await rawRequest(port, get('a'))).toStartWith('HTTP/1.1 404 ')
    await until('they are closed', () => [silent, destroy, slow].every(({ closed }) => closed))
    clearInterval(dribbling)
  })

  test('counts as a connection', async () => {
    const listener = openListener({
      bind: '127.0.0.1',
      port: 0,
      tls,
      requestHandler: () => new Response(),
      connectionsMax: 3,
    })
    const silent = Array.from({ length: 3 }, () => openTcpSocket(listener.port))
    await until('they are connected', () => silent.every(({ readyState }) => readyState === 'open'))
    expect(await rawRequest(listener.port, get('a'), () => false).catch(() => '')).toBe('')
    silent[0]!.destroy()
    await until('another one is answered', async () => {
      const answer = await rawRequest(listener.port, get('a')).catch(() => '')
      return answer.startsWith('HTTP/1.1 200 ')
    })
    for (const socket of silent) socket.destroy()
    await listener.stop(0)
  })

  test('ends, without affecting others, when a client sends plain HTTP, and the log has its client', async () => {
    await using served = serveFake()
    const lines = linesAt('debug')
    const bare = openTcpSocket(served.server.port)
    bare.write(get('a'))
    await until('it is closed', () => bare.closed)
    await until('it is logged', () => lines.length === 1)
    expect(lines[0]!.message).toMatch(/^Connection from 127\.0\.0\.1:\d+ closed during its TLS handshake: /)
    expect(statusesIn(await rawRequest(served.server.port, get('a') + get('a'), isAnswered(2)))).toEqual([404, 404])
  })
})

test('bytes that are not TLS end a connection after its handshake, without an error in the log', async () => {
  const lines: string[] = []
  configureLogging({ level: 'info', structured: false, write: (line) => lines.push(line) })
  await using served = serveFake()
  using proxy = await holdBefore(served.server.port)
  proxy.release()
  const socket = await open(proxy.port)
  socket.on('error', () => {})
  // Hands are shaken on both sides by the time that it is answered.
  await new Promise((resolve) => socket.once('data', resolve).write(get('a')))
  proxy.inject('GET / HTTP/1.1\r\n\r\n')
  await until('it is closed', () => socket.closed)
  configureLogging({ level: 'error', structured: false })
  expect(lines).toEqual([])
})

describe('when it drains, a connection whose handshake is under way', () => {
  async function stopDuringHandshake() {
    const { server } = serveFake({ idleTimeoutSeconds: 255 })
    const proxy = await holdBefore(server.port)
    const opening = open(proxy.port)
    await until('its first bytes are held', () => proxy.held > 0)
    const stopped = server.stop(3_600_000)
    // No new one is taken, nor is any that was idle kept.
    await until('it has stopped listening', () =>
      rawRequest(server.port, get('a')).then(
        () => false,
        () => true,
      ),
    )
    return { proxy, opening, stopped }
  }

  test('has its request answered, and ends with that', async () => {
    const { proxy, opening, stopped } = await stopDuringHandshake()
    using _ = proxy
    const answered = opening.then(
      (socket) =>
        new Promise<string>((resolve) => {
          let answer = ''
          socket.on('data', (chunk) => (answer += String(chunk)))
          socket.on('close', () => resolve(answer))
          socket.write(get('a'))
        }),
    )
    proxy.release()
    expect(await answered).toMatch(/^HTTP\/1\.1 404 [^]*\r\nConnection: close\r\n/)
    await stopped
  })

  test('is ended soon when it asks for nothing', async () => {
    const { proxy, opening, stopped } = await stopDuringHandshake()
    using _ = proxy
    proxy.release()
    await opening
    await stopped
  })
})
