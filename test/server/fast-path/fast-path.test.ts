/** The fast path from its beginning to its end. */
import { describe, expect, test } from 'bun:test'
import { openDescriptors } from '../../../lib/server/descriptors.ts'
import { openListener } from '../../../lib/server/listener.ts'
import { transports } from '../../support/http/transports.ts'
import { flush, get, isAnswered, statusesIn } from '../../support/server/clients.ts'
import { until } from '../../support/until.ts'

describe.each(transports)('$name the fast path', ({ tls, serveFake, open, rawRequest }) => {
  test('answers 500 and continues when a request handler throws or rejects', async () => {
    const faults = [
      () => {
        throw new Error('thrown')
      },
      () => Promise.reject(new Error('rejected')),
    ]
    for (const requestHandler of faults) {
      const listener = openListener({ bind: '127.0.0.1', port: 0, tls, requestHandler })
      const answers = await rawRequest(listener.port, get('a') + get('a'), isAnswered(2))
      expect(statusesIn(answers)).toEqual([500, 500])
      expect(answers).not.toMatch(/thrown|rejected/)
      await listener.stop(0)
    }
  })

  test('nothing listens, and no descriptor is open, when it has stopped', async () => {
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
    // Nothing but the answer's end ends it.
    const { store, server } = serveFake({ idleTimeoutSeconds: 255 })
    // More than the buffers of both sockets take.
    store.put('large', 'x'.repeat(30_000_000))
    const find = store.onGet
    let asked = false
    store.onGet = (key) => {
      asked = true
      return find(key)
    }
    let received = 0
    const ended = Promise.withResolvers<void>()
    const socket = await open(server.port)
    socket.on('data', (chunk) => (received += chunk.length))
    socket.on('close', () => ended.resolve())
    socket.write(get('large'))
    socket.pause()
    await until('it is asked for', () => asked)
    const stopped = server.stop(3_600_000)
    await Bun.sleep(300)
    socket.resume()
    await ended.promise
    expect(received).toBeGreaterThan(30_000_000)
    await stopped
  })

  test('a connection beyond the bound is closed when it is accepted, and others are answered', async () => {
    const listener = openListener({
      bind: '127.0.0.1',
      port: 0,
      tls,
      requestHandler: () => new Response('ok'),
      connectionsMax: 3,
    })
    const held = await Promise.all(Array.from({ length: 3 }, () => open(listener.port)))
    // The last one has been taken by the time that it is answered.
    await new Promise((resolve) => held[2]!.once('data', resolve).write(get('a')))
    for (let count = 0; count < 5; count++) {
      const excess = rawRequest(listener.port, get('a'), () => false).catch(() => '')
      expect(await excess).toBe('')
    }
    held[0]!.destroy()
    await until('another one is answered', async () => {
      const answer = await rawRequest(listener.port, get('a')).catch(() => '')
      return answer.startsWith('HTTP/1.1 200 ')
    })
    for (const socket of held) socket.destroy()
    await listener.stop(0)
  })

  test('a forwarded request is answered when it drains', async () => {
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
    expect(await answer).toEndWith('{"operations":7}\n')
    await stopped
  })
})
