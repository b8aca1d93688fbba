/** Requests that are forwarded to Bun's server and take a while: they leave most tunnels to others. */
import { describe, expect, test } from 'bun:test'
import { transports } from '../support/http/transports.ts'
import { flush, get, isAnswered, statusesIn } from '../support/server/clients.ts'
import { connectionsAt } from '../support/server/connections-at.ts'
import { until } from '../support/until.ts'

const odd = 'X: 1\r\nX: 2\r\n'
const kinds: [name: string, code: string, request: string][] = [
  ['wait', 'waits_exhausted', get('none', `Prefer: wait=60\r\n${odd}`)],
  ['walk', 'walks_exhausted', `GET /stores/orders?count&prefix=k HTTP/1.1\r\nHost: a\r\n${odd}\r\n`],
]

describe.each(transports)('$name', ({ serveFake, open, rawRequest, fetch }) => {
  test.each(kinds)('sixteen requests that %s are forwarded, and others get %s', async (_, code, request) => {
    await using served = serveFake()
    const { store, server, url } = served
    store.put('k', 'K')
    const gate = Promise.withResolvers<void>()
    store.onRead = () => gate.promise
    const clients = await Promise.all(Array.from({ length: 40 }, () => open(server.port)))
    const received: string[] = []
    for (const client of clients) {
      client.on('data', (chunk) => received.push(String(chunk)))
      client.write(request)
    }
    await until('the others are refused', () => isAnswered(24)(received.join('')))
    const answers = received.join('')
    expect(new Set(statusesIn(answers))).toEqual(new Set([503]))
    expect(answers.split(`"code":"${code}"`)).toHaveLength(25)
    expect(statusesIn(await rawRequest(server.port, flush, isAnswered(1)))).toEqual([200])
    expect((await fetch(`${url}/stores/orders/k`)).status).toBe(200)
    for (const client of clients) client.resetAndDestroy()
    await until('they have left', () => connectionsAt(server.port) <= 1)
    store.changes.publish()
    gate.resolve()
    const again = get('k', `Prefer: wait=60\r\n${odd}`)
    expect(statusesIn(await rawRequest(server.port, again, isAnswered(1)))).toEqual([200])
  })
})
