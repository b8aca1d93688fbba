/** Connections that are forwarded to Bun's server, as their clients see it. */
import { describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { createRequestHandler } from '../../../lib/http/handler.ts'
import { openDescriptors } from '../../../lib/server/descriptors.ts'
import { Reading } from '../../../lib/server/fast-path/reading.ts'
import { Slots } from '../../../lib/server/fast-path/slots.ts'
import { Tunnel } from '../../../lib/server/fast-path/tunnel.ts'
import { WriteBuffer } from '../../../lib/server/fast-path/write-buffer.ts'
import { ForwardedRequests } from '../../../lib/server/forwarded-requests.ts'
import { openListener } from '../../../lib/server/listener.ts'
import { FakeStore } from '../../support/http/fake-store.ts'
import { transports } from '../../support/http/transports.ts'
import { flush, get, isAnswered, statusesIn } from '../../support/server/clients.ts'
import { FakeSocket } from '../../support/server/fake-socket.ts'
import { until } from '../../support/until.ts'

describe.each(transports)('$name a forwarded connection', ({ tls, serveFake, open, rawRequest, fetch }) => {
  test('is answered when hundreds of others are forwarded at the same time', async () => {
    await using served = serveFake()
    const clients = await Promise.all(Array.from({ length: 700 }, () => open(served.server.port)))
    const answers = clients.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.on('data', (chunk) => resolve(String(chunk)))
          socket.on('close', () => resolve('closed'))
        }),
    )
    for (const socket of clients) socket.write(flush)
    for (const answer of await Promise.all(answers)) expect(answer).toStartWith('HTTP/1.1 200 ')
    for (const socket of clients) socket.destroy()
  })

  test('is answered all that it has pipelined', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const count = 1_000
    const answers = await rawRequest(served.server.port, flush + get('a').repeat(count), isAnswered(count + 1))
    expect(statusesIn(answers)).toEqual(Array.from({ length: count + 1 }, () => 200))
  })

  test('delivers large values to a client that reads slowly, and continues', async () => {
    await using served = serveFake()
    // No two pieces of it are the same, so that none can be missing or out of order.
    const large = Array.from({ length: 1_000_000 }, (_, index) => String(index).padStart(8, '0')).join('')
    served.store.put('large', large)
    served.store.put('a', '<A>')
    const odd = get('large', 'X: 1\r\nX: 2\r\n')
    const socket = await open(served.server.port)
    socket.pause()
    socket.write(odd + get('a') + odd + flush)
    const chunks: string[] = []
    let received = 0
    // What the sockets between them do not take is held by then.
    for (let index = 0; index < 20; index++) await fetch(`${served.url}/livez`)
    socket.on('data', (chunk) => {
      chunks.push(chunk.toString('latin1'))
      received += chunk.length
    })
    socket.resume()
    await until('all is answered', () => received > 2 * large.length && chunks.at(-1)!.endsWith('{"operations":0}\n'))
    const answers = chunks.join('')
    expect(statusesIn(answers.replaceAll(large, '-'))).toEqual([200, 200, 200, 200])
    expect(answers.split(large)).toHaveLength(3)
    socket.destroy()
  })

  /** Nothing but the end of a connection gives its descriptors back here, as connections may be idle for minutes. */
  const patient = { idleTimeoutSeconds: 255 }
  const odd = get('a', 'X: 1\r\nX: 2\r\n')

  test.each([
    ['resets it', (socket: Socket) => socket.resetAndDestroy()],
    ['ends it', (socket: Socket) => socket.end()],
  ])('closes all its descriptors when its client %s', async (_, end) => {
    await using served = serveFake(patient)
    const before = openDescriptors()
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => open(served.server.port)))
      const answered = clients.map((socket) => new Promise((resolve) => socket.once('data', resolve)))
      for (const socket of clients) socket.write(odd)
      await Promise.all(answered)
      for (const socket of clients) end(socket)
    }
    await until('they are closed', () => openDescriptors() <= before)
  })

  test.each([
    ['resets it', (socket: Socket) => socket.resetAndDestroy()],
    ['ends it', (socket: Socket) => socket.destroy()],
  ])('closes all its descriptors when its client %s while its answer is being made', async (_, end) => {
    await using served = serveFake(patient)
    let asked = 0
    const flushed = Promise.withResolvers<number>()
    served.store.onFlush = () => {
      asked++
      return flushed.promise
    }
    const before = openDescriptors()
    const clients = await Promise.all(Array.from({ length: 10 }, () => open(served.server.port)))
    for (const socket of clients) socket.write(flush)
    await until('all have asked', () => asked === clients.length)
    for (const socket of clients) end(socket)
    await until('they are closed', () => openDescriptors() <= before)
    flushed.resolve(1)
  })

  test("keeps only its client's descriptor when nothing is forwarded any more", async () => {
    await using served = serveFake(patient)
    const before = openDescriptors()
    const clients = await Promise.all(Array.from({ length: 10 }, () => open(served.server.port)))
    const answered = clients.map((socket) => new Promise((resolve) => socket.once('data', resolve)))
    for (const socket of clients) socket.write(odd)
    await Promise.all(answered)
    // Both ends of each connection are in this process.
    await until('tunnels are dropped', () => openDescriptors() <= before + 2 * clients.length)
    const again = clients.map((socket) => new Promise((resolve) => socket.once('data', resolve)))
    for (const socket of clients) socket.write(odd)
    for (const answer of await Promise.all(again)) expect(String(answer)).toStartWith('HTTP/1.1 404 ')
    for (const socket of clients) socket.destroy()
  })

  test('leaves no descriptor open when its client disconnects without reading, and was not read from', async () => {
    // A paused socket does not report its end: only time shows it.
    await using served = serveFake({ idleTimeoutSeconds: 2 })
    served.store.put('large', 'x'.repeat(8_000_000))
    const before = openDescriptors()
    const requests = get('large', 'X: 1\r\nX: 2\r\n') + get('a').repeat(20_000)
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => open(served.server.port)))
      for (const socket of clients) socket.pause().write(requests)
      await Bun.sleep(20 * round)
      for (const socket of clients) socket.resetAndDestroy()
    }
    await until('they are closed', () => openDescriptors() <= before)
  }, 60_000)

  test('is answered in turn when more are to be forwarded than the bound allows, and some disconnect meanwhile', async () => {
    const tunnelsMax = 2
    const store = new FakeStore()
    const underway = { now: 0, most: 0 }
    const asked: (() => void)[] = []
    store.onFlush = async () => {
      underway.most = Math.max(underway.most, ++underway.now)
      await new Promise<void>((resolve) => asked.push(resolve))
      return underway.now--
    }
    const listener = openListener({
      bind: '127.0.0.1',
      port: 0,
      tls,
      requestHandler: createRequestHandler(store),
      tunnelsMax,
    })
    const clients = await Promise.all(Array.from({ length: 20 }, () => open(listener.port)))
    const [, , ...others] = clients
    const leaving = others.splice(0, 5)
    const answers = others.map(
      (socket) => new Promise((resolve) => socket.once('data', (chunk) => resolve(String(chunk)))),
    )
    for (const socket of clients) socket.write(flush)
    await until('as many as may have asked', () => asked.length === tunnelsMax)
    for (const socket of leaving) socket.resetAndDestroy()
    const answering = setInterval(() => asked.shift()?.(), 1)
    for (const answer of await Promise.all(answers)) expect(answer).toStartWith('HTTP/1.1 200 ')
    clearInterval(answering)
    expect(underway.most).toBe(tunnelsMax)
    for (const socket of clients) socket.destroy()
    await listener.stop(0)
  })

  test('is not dropped for another one while it forwards a further request', async () => {
    const store = new FakeStore()
    const flushed = Promise.withResolvers<number>()
    let asked = 0
    store.onFlush = () => {
      asked++
      return flushed.promise
    }
    const listener = openListener({
      bind: '127.0.0.1',
      port: 0,
      tls,
      requestHandler: createRequestHandler(store),
      tunnelsMax: 1,
    })
    const [first, second] = await Promise.all([open(listener.port), open(listener.port)])
    const answerTo = (socket: Socket, request: string) =>
      new Promise<string>((resolve) => {
        socket.once('data', (chunk) => resolve(String(chunk)))
        socket.once('close', () => resolve('closed'))
        socket.write(request)
      })
    expect(await answerTo(first, odd)).toStartWith('HTTP/1.1 404 ')
    const late = answerTo(first, flush)
    await until('it is forwarded', () => asked === 1)
    const other = answerTo(second, odd)
    // The other one is known to wait by the time that a third is answered.
    await rawRequest(listener.port, get('a'))
    flushed.resolve(1)
    expect(await late).toStartWith('HTTP/1.1 200 ')
    expect(await other).toStartWith('HTTP/1.1 404 ')
    for (const socket of [first, second]) socket.destroy()
    await listener.stop(0)
  })
})

test('a connection to be forwarded leaves the queue when its client has disconnected', () => {
  const slots = new Slots(1)
  const begun: string[] = []
  const holder = (name: string) => ({ begin: () => void begun.push(name), yield: () => {} })
  const first = holder('the first')
  slots.acquire(first)
  const socket = new FakeSocket(Infinity)
  const [writeBuffer, reading] = [new WriteBuffer(socket), new Reading(socket)]
  const callbacks = { progressed: () => {}, answered: () => {} }
  const client = { socket: socket.asSocket, writeBuffer, reading, isLocal: true, ...callbacks }
  const tunnel = new Tunnel(client, { port: 0, forwarded: new ForwardedRequests() }, slots)
  tunnel.clientClosed()
  slots.free(first)
  slots.acquire(holder('the next'))
  expect(begun).toEqual(['the first', 'the next'])
})
