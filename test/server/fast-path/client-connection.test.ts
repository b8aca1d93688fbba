/** A connection to the fast path with Bun's server behind it, as its client sees it. That lookups are answered as they should be is held by the other tests. */
import { describe, expect, test } from 'bun:test'
import type { Lookup } from '../../../lib/store-protocol/status.ts'
import { transports } from '../../support/http/transports.ts'
import { flush, get, isAnswered, statusesIn } from '../../support/server/clients.ts'
import { until } from '../../support/until.ts'

describe.each(transports)('$name a connection', ({ serveFake, open, sendAndEnd, rawRequest, fetch }) => {
  test('is answered in order when plain requests and others are mixed', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const requests = [get('a'), get('none'), flush, get('a'), flush, get('none')]
    const answers = await rawRequest(served.server.port, requests.join(''), isAnswered(6))
    expect(statusesIn(answers)).toEqual([200, 404, 200, 200, 200, 404])
  })

  test('is answered in order when some answers are delayed', async () => {
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

  test('is answered the same for any split of its requests', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const requests = get('a') + flush + get('a')
    for (let destroy = 1; destroy < requests.length; destroy += 7) {
      const socket = await open(served.server.port)
      let answers = ''
      socket.on('data', (chunk) => (answers += String(chunk)))
      socket.setNoDelay()
      socket.write(requests.slice(0, destroy))
      await Bun.sleep(1)
      socket.write(requests.slice(destroy))
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

  test('is answered when its client sends thousands of requests before it reads', async () => {
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

  test('ends with the answer, which announces it, when the client asks for it', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const answers = await rawRequest(served.server.port, get('a', 'Connection: close\r\n') + get('a'), () => false)
    expect(statusesIn(answers)).toEqual([200])
    expect(answers).toContain('\r\nConnection: close\r\n')
  })

  test('contains nothing of other answers when its client reads slowly', async () => {
    await using served = serveFake()
    const [own, other] = ['y'.repeat(60_000), 'e'.repeat(60_000)]
    served.store.put('own', own)
    served.store.put('other', other)
    const count = 400
    const socket = await open(served.server.port)
    socket.pause()
    socket.write(get('own').repeat(count))
    for (let index = 0; index < 20; index++) {
      expect(await (await fetch(`${served.url}/stores/orders/other`)).text()).toBe(other)
    }
    const chunks: Buffer[] = []
    let received = 0
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
    })
    socket.resume()
    const answersSoFar = () => Buffer.concat(chunks).toString('latin1')
    // Heads add more than one body, so the number of bytes alone does not show that the last answer is complete.
    await until('all is answered', () => received > count * own.length && answersSoFar().split(own).length > count)
    const answers = answersSoFar()
    expect(answers.split(own)).toHaveLength(count + 1)
    expect(answers.includes('eee')).toBeFalse()
    socket.destroy()
  })

  test('delivers a large value to a client that reads slowly, and then continues', async () => {
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
    await until('all is answered', () => answers.endsWith('{"operations":0}\n'))
    expect(statusesIn(answers)).toEqual([200, 200, 200, 200])
    expect(answers.split(large)).toHaveLength(3)
    socket.destroy()
  })

  test.concurrent('is closed when it has been idle for too long, and no sooner', async () => {
    await using served = serveFake({ idleTimeoutSeconds: 3 })
    const sockets = await Promise.all(Array.from({ length: 3 }, () => open(served.server.port)))
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of sockets) socket.resume()
    const [silent, request, forwarded] = sockets
    forwarded!.write(flush)
    let answers = 0
    request!.on('data', () => answers++)
    await until('the silent one is closed', () => {
      request!.write(get('a'))
      return silent!.closed
    })
    expect([silent!.closed, request!.closed]).toEqual([true, false])
    expect(answers).toBeGreaterThan(10)
    await Promise.all(closed)
  })

  test.concurrent(
    'is closed sooner when it is idle in the middle of a head',
    async () => {
      await using served = serveFake({ idleTimeoutSeconds: 200 })
      const socket = await open(served.server.port)
      socket.write(get('a').slice(0, -2))
      const closed = new Promise((resolve) => socket.resume().once('close', resolve))
      await closed
    },
    30_000,
  )
})
