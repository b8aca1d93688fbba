/** Requests whose clients have left, on each path of a request: they end, and those of other clients do not wait for them. */
import { describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { openDescriptors } from '../../lib/server/descriptors.ts'
import { serveFake } from '../support/http/fake-store.ts'
import { exchange, type RequestPath, requestPaths } from '../support/http/request-paths.ts'
import { statusesIn } from '../support/server/clients.ts'
import { connectionsAt } from '../support/server/connections-at.ts'
import { inTurns } from '../support/server/fake-connection.ts'
import { until } from '../support/until.ts'

const walks: [name: string, query: string, headers: string][] = [
  ['a count', '?count&prefix=', ''],
  ['a page', '?limit=10000&prefix=', ''],
  ['all entries', '?prefix=', 'Accept: application/x-ndjson\r\n'],
]
const leavings: [name: string, leave: (socket: Socket) => unknown][] = [
  ['ended', (socket) => socket.destroy()],
  ['reset', (socket) => socket.resetAndDestroy()],
]
const cases = walks.flatMap((walk) => leavings.map((leaving) => [...walk, ...leaving] as const))

const serve = ({ tls, hasFastPath }: RequestPath) => serveFake({ tls, hasFastPath })

describe.each(requestPaths)('$name', (path) => {
  test.each(cases)('%s is not continued, and not begun if it waits, when its client has left', async (...given) => {
    const [, query, headers, , leave] = given
    await using served = serve(path)
    const { store, server } = served
    for (let index = 0; index < 3_000; index++) store.put(`key ${index}`, '1', { partition: index % 4 })
    const request = (prefix: string) => {
      return `GET /stores/orders${query}${prefix} HTTP/1.1\r\nHost: a\r\n${headers}${path.headers}\r\n`
    }
    const before = openDescriptors()
    const gate = Promise.withResolvers<void>()
    const reads: string[] = []
    const readChunk = store.readChunk.bind(store)
    store.readChunk = (position, bounds) => {
      const prefix = String.fromCharCode(...bounds.prefix!)
      reads.push(prefix)
      return prefix === 'ke' ? gate.promise.then(() => readChunk(position, bounds)) : readChunk(position, bounds)
    }
    const clients = Array.from({ length: 12 }, () => path.openSocket(server.port, () => {}))
    for (const client of clients) {
      client.on('error', () => {})
      client.write(request('ke'))
    }
    await until('the first one is read', () => reads.length === 1)
    await until('all are connected', () => connectionsAt(server.port) === 12)
    for (const client of clients) leave(client)
    await until(
      'the server has seen that they have left',
      () => openDescriptors() <= before && connectionsAt(server.port) === 0,
    )
    await inTurns(() => false, 20)
    gate.resolve()
    const { answers } = await exchange(path, server.port, request('key'), {
      isEnd: (text) => /\d+\}\n|\]\}\n/.test(text),
    })
    expect(answers).toContain('200 OK')
    expect(reads.filter((prefix) => prefix === 'ke')).toHaveLength(1)
  })

  test.each(leavings)('the wait of a client that has %s its connection ends', async (_, leave) => {
    await using served = serve(path)
    const { store, server } = served
    const request = `GET /stores/orders/a HTTP/1.1\r\nHost: a\r\nPrefer: wait=60\r\n${path.headers}\r\n`
    const client = path.openSocket(server.port, () => client.write(request))
    client.on('error', () => {})
    await until('it waits', () => store.changes.waiting === 1)
    leave(client)
    await until('its wait has ended', () => store.changes.waiting === 0)
    await until('it is closed', () => connectionsAt(server.port) === 0)
  })

  test('HEAD of all entries announces no length, and the next request is answered', async () => {
    await using served = serve(path)
    served.store.put('a', 'A')
    const headers = `Host: a\r\n${path.headers}`
    const head = `HEAD /stores/orders HTTP/1.1\r\n${headers}Accept: application/x-ndjson\r\n\r\n`
    const lookup = `GET /stores/orders/a HTTP/1.1\r\n${headers}\r\n`
    const { answers } = await exchange(path, served.server.port, head + lookup, { isEnd: (text) => text.endsWith('A') })
    const [first = ''] = answers.split(/(?<=\r\n\r\n)/)
    expect(first).toMatch(/^content-type: application\/x-ndjson\r$/im)
    expect(first).not.toMatch(/^content-length/im)
    expect(statusesIn(answers)).toEqual([200, 200])
  })
})

describe.each(requestPaths.filter(({ hasFastPath }) => hasFastPath))('$name', (path) => {
  test('a client that has ended its side and stays gets its answer', async () => {
    await using served = serve(path)
    const { store, server } = served
    const request = `GET /stores/orders/a HTTP/1.1\r\nHost: a\r\nPrefer: wait=60\r\n${path.headers}\r\n`
    let answers = ''
    const client = path.openSocket(server.port, () => client.end(request), { allowHalfOpen: true })
    client.on('data', (chunk) => (answers += String(chunk)))
    await until('it waits', () => store.changes.waiting === 1)
    await until('it is asked whether it is there', () => answers === 'HTTP/1.1 100 Continue\r\n\r\n')
    store.put('a', 'A')
    store.changes.publish()
    await until('it is answered', () => answers.endsWith('A'))
    expect(statusesIn(answers)).toEqual([100, 200])
    client.destroy()
  })
})
