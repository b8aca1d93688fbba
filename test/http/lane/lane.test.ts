/** What the lane and Bun's server behind it do together, as clients see it. That lookups are answered as they should be is held by the other tests. */
import { describe, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import type { Lookup } from '../../../lib/contract/status.ts'
import { openListener } from '../../../lib/http/listener.ts'
import { openDescriptors } from '../../../lib/http/descriptors.ts'
import { serveFake } from '../fake-store.ts'
import { rawRequest } from '../raw-request.ts'
import { until } from '../../until.ts'

const host = 'Host: a\r\n'
const get = (key: string, headers = '') => `GET /stores/orders/${key} HTTP/1.1\r\n${host}${headers}\r\n`
const flush = `POST /flush-store/orders HTTP/1.1\r\n${host}Content-Length: 2\r\n\r\n{}`

/** Statuses of all answers, in their order. */
function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
}

function isAnswered(count: number): (answers: string) => boolean {
  return (answers) => statusesIn(answers).length === count
}

/** What is sent by a client that then says that it will send no more, and all that comes back. */
function sendAndEnd(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answers = ''
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes))
    socket.on('data', (chunk) => (answers += chunk.toString('latin1')))
    socket.on('end', () => resolve(answers))
    socket.on('error', reject)
  })
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket))
    socket.on('error', reject)
  })
}

describe('a connection', () => {
  test('is answered in order when plain requests and others are mixed', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const requests = [get('a'), get('none'), flush, get('a'), flush, get('none')]
    const answers = await rawRequest(served.server.port, requests.join(''), isAnswered(6))
    expect(statusesIn(answers)).toEqual([200, 404, 200, 200, 200, 404])
  })

  test('is answered in order when some answers have to be waited for', async () => {
    await using served = serveFake()
    const { store } = served
    const value = (text: string): Lookup => ({ value: Buffer.from(text), partition: 0, offset: 1, timestamp: 1 })
    const found = Promise.withResolvers<Lookup>()
    store.onGet = (key) => (Buffer.from(key).toString() === 'late' ? found.promise : value('soon'))
    const answers = rawRequest(served.server.port, get('late') + get('a') + get('b'), (all) =>
      all.endsWith('soon') ? all.split('soon').length === 3 : false,
    )
    expect(await (await fetch(`${served.url}/stores/orders/a`)).text()).toBe('soon')
    found.resolve(value('late'))
    expect((await answers).match(/late|soon/g)).toEqual(['late', 'soon', 'soon'])
  })

  test('is answered the same however its requests are cut', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const requests = get('a') + flush + get('a')
    for (let cut = 1; cut < requests.length; cut += 7) {
      const socket = await open(served.server.port)
      let answers = ''
      socket.on('data', (chunk) => (answers += String(chunk)))
      socket.setNoDelay()
      socket.write(requests.slice(0, cut))
      await Bun.sleep(1)
      socket.write(requests.slice(cut))
      await until('all is answered', () => statusesIn(answers).length === 3)
      expect(statusesIn(answers)).toEqual([200, 200, 200])
      socket.destroy()
    }
  })

  test.each([
    ['a plain request', get('a'), [200]],
    ['several', get('a') + get('none') + get('a'), [200, 404, 200]],
    ['another one', flush, [200]],
    ['both', get('a') + flush + get('none'), [200, 200, 404]],
  ])('is answered and ended when its client has sent %s and sends no more', async (_, requests, statuses) => {
    await using served = serveFake()
    served.store.put('a', 'A')
    expect(statusesIn(await sendAndEnd(served.server.port, requests))).toEqual(statuses)
  })

  test('is answered all the same when its client sends thousands of requests before it reads', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const counts = { found: 20_000, missed: 2_000 }
    const requests = get('none').repeat(counts.missed) + get('a').repeat(counts.found)
    const statuses = statusesIn(await sendAndEnd(served.server.port, requests))
    expect(statuses).toHaveLength(counts.found + counts.missed)
    expect(statuses.indexOf(200)).toBe(counts.missed)
    expect(statuses.lastIndexOf(404)).toBe(counts.missed - 1)
  })

  test('is refused by Bun when its client ends in the middle of a head', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const answers = await sendAndEnd(served.server.port, `${get('a')}GET /a HTTP/1.1\r\nX: a\rb\r\n`)
    expect(statusesIn(answers)).toEqual([200, 400])
  })

  test('ends with the answer, which says so, when the client asks for it', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const answers = await rawRequest(served.server.port, get('a', 'Connection: close\r\n') + get('a'), () => false)
    expect(statusesIn(answers)).toEqual([200])
    expect(answers).toContain('\r\nConnection: close\r\n')
  })

  test('brings nothing of what others are answered when its client reads slowly', async () => {
    await using served = serveFake()
    const [own, other] = ['y'.repeat(60_000), 'e'.repeat(60_000)]
    served.store.put('own', own)
    served.store.put('other', other)
    const count = 400
    const socket = await open(served.server.port)
    socket.pause()
    socket.write(get('own').repeat(count))
    for (let index = 0; index < 20; index++)
      expect(await (await fetch(`${served.url}/stores/orders/other`)).text()).toBe(other)
    const chunks: Buffer[] = []
    let received = 0
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
    })
    socket.resume()
    // Heads come on top of that, and are looked at below.
    await until('all is answered', () => received > count * own.length && chunks.at(-1)?.at(-1) === 0x79)
    const answers = Buffer.concat(chunks).toString('latin1')
    expect(answers.split(own)).toHaveLength(count + 1)
    expect(answers.includes('eee')).toBeFalse()
    socket.destroy()
  })

  test('brings all of a large value to a client that reads slowly, and then goes on', async () => {
    await using served = serveFake()
    const large = 'x'.repeat(8_000_000)
    served.store.put('large', large)
    served.store.put('a', 'A')
    const socket = await open(served.server.port)
    socket.pause()
    socket.write(get('large') + get('a') + get('large') + flush)
    // It has been asked for by the time that others have their answers.
    for (let index = 0; index < 5; index++) await fetch(`${served.url}/livez`)
    let answers = ''
    socket.on('data', (chunk) => (answers += chunk.toString('latin1')))
    socket.resume()
    await until('all is answered', () => answers.endsWith('{"operations":0}'))
    expect(statusesIn(answers)).toEqual([200, 200, 200, 200])
    expect(answers.split(large)).toHaveLength(3)
    socket.destroy()
  })

  test('is closed when it has been idle for too long, and no sooner', async () => {
    await using served = serveFake({ idleTimeoutSeconds: 3 })
    const sockets = await Promise.all(Array.from({ length: 3 }, () => open(served.server.port)))
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of sockets) socket.resume()
    const [silent, asking, passedOn] = sockets
    passedOn!.write(flush)
    let answers = 0
    asking!.on('data', () => answers++)
    while (!silent!.closed) {
      asking!.write(get('a'))
      await Bun.sleep(50)
    }
    expect([silent!.closed, asking!.closed]).toEqual([true, false])
    expect(answers).toBeGreaterThan(10)
    await Promise.all(closed)
  })

  test('is closed sooner when it is idle in the middle of a head', async () => {
    await using served = serveFake({ idleTimeoutSeconds: 200 })
    const socket = await open(served.server.port)
    socket.write(get('a').slice(0, -2))
    const closed = new Promise((resolve) => socket.resume().once('close', resolve))
    await closed
  }, 30_000)

  test('is answered when hundreds of others are passed on at the same moment', async () => {
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

  test('is answered all that it has pipelined when it was passed on', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const count = 1_000
    const answers = await rawRequest(served.server.port, flush + get('a').repeat(count), isAnswered(count + 1))
    expect(statusesIn(answers)).toEqual(Array.from({ length: count + 1 }, () => 200))
  })

  test('leaves no descriptor behind when clients that were passed on go away without reading', async () => {
    await using served = serveFake({ idleTimeoutSeconds: 2 })
    served.store.put('large', 'x'.repeat(8_000_000))
    await rawRequest(served.server.port, flush)
    const before = openDescriptors()
    // Two of a header are not plain.
    const requests = get('large', 'X: 1\r\nX: 2\r\n') + get('a').repeat(20_000)
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(Array.from({ length: 10 }, () => open(served.server.port)))
      for (const socket of clients) socket.pause().write(requests)
      await Bun.sleep(20 * round)
      for (const socket of clients) socket.resetAndDestroy()
    }
    await until('they are closed', () => openDescriptors() <= before)
  }, 60_000)

  test('gives back all its descriptors when it was passed on', async () => {
    await using served = serveFake()
    const ask = () => rawRequest(served.server.port, flush)
    await ask()
    const before = openDescriptors()
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 10 }, ask))
    await until('they are closed', () => openDescriptors() <= before + 2)
  })
})

describe('the lane', () => {
  test('answers 500 and goes on when an answerer throws or rejects', async () => {
    const faults = [
      () => {
        throw new Error('thrown')
      },
      () => Promise.reject(new Error('rejected')),
    ]
    for (const answerer of faults) {
      const listener = openListener({ bind: '127.0.0.1', port: 0, answerer })
      const answers = await rawRequest(listener.port, get('a') + get('a'), isAnswered(2))
      expect(statusesIn(answers)).toEqual([500, 500])
      expect(answers).not.toMatch(/thrown|rejected/)
      await listener.stop(0)
    }
  })

  test('nothing listens any more, and no descriptor is left, when it has stopped', async () => {
    const before = openDescriptors()
    const { server } = serveFake()
    await rawRequest(server.port, get('a') + flush, isAnswered(2))
    const idle = await Promise.all(Array.from({ length: 5 }, () => open(server.port)))
    const ended = idle.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)))
    await server.stop(5_000)
    await Promise.all(ended)
    await expect(rawRequest(server.port, get('a'))).rejects.toThrow()
    await until('descriptors are closed', () => openDescriptors() <= before)
  })

  test('a connection whose answer is still being read ends with it when it drains', async () => {
    const { store, server } = serveFake()
    store.put('large', 'x'.repeat(8_000_000))
    const socket = await open(server.port)
    socket.pause().write(get('large'))
    let received = 0
    socket.on('data', (chunk) => (received += chunk.length))
    const ended = new Promise((resolve) => socket.once('end', resolve))
    await Bun.sleep(50)
    const stopped = server.stop(60_000)
    await Bun.sleep(300)
    socket.resume()
    await ended
    expect(received).toBeGreaterThan(8_000_000)
    await stopped
  })

  test('a request that was passed on is answered when it drains', async () => {
    const { store, server } = serveFake()
    const asked = Promise.withResolvers<void>()
    const flushed = Promise.withResolvers<number>()
    store.onFlush = () => {
      asked.resolve()
      return flushed.promise
    }
    const answer = rawRequest(server.port, flush)
    await asked.promise
    const stopped = server.stop(60_000)
    flushed.resolve(7)
    expect(await answer).toEndWith('{"operations":7}')
    await stopped
  })
})
