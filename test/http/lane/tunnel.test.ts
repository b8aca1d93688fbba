/** Connections that are passed on to Bun's server, as their clients see it. */
import { describe, expect, test } from 'bun:test'
import { openDescriptors } from '../../../lib/http/descriptors.ts'
import { serveFake } from '../fake-store.ts'
import { rawRequest } from '../raw-request.ts'
import { until } from '../../until.ts'
import { flush, get, isAnswered, open, statusesIn } from './clients.ts'

describe('a connection that was passed on', () => {
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

  test('is answered all that it has pipelined', async () => {
    await using served = serveFake()
    served.store.put('a', 'A')
    const count = 1_000
    const answers = await rawRequest(served.server.port, flush + get('a').repeat(count), isAnswered(count + 1))
    expect(statusesIn(answers)).toEqual(Array.from({ length: count + 1 }, () => 200))
  })

  test('leaves no descriptor behind when its client goes away without reading', async () => {
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

  test('gives back all its descriptors', async () => {
    await using served = serveFake()
    const ask = () => rawRequest(served.server.port, flush)
    await ask()
    const before = openDescriptors()
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 10 }, ask))
    await until('they are closed', () => openDescriptors() <= before + 2)
  })
})
