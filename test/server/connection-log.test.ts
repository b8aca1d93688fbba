/** Debug and trace lines of HTTP: connections, tunnels and requests. */
import { afterEach, describe, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { configureLogging, type LogLevel } from '../../lib/log/index.ts'
import { HeldAnswers } from '../../lib/server/fast-path/held-answers.ts'
import { allTransports, transports } from '../support/http/transports.ts'
import { type Line, linesAt } from '../support/log/lines.ts'
import { flush, get, isAnswered, statusesIn } from '../support/server/clients.ts'
import { connect, fastPathOf, idleTicks, valueOf } from '../support/server/fake-connection.ts'
import { until } from '../support/until.ts'

const secrets = ['secret-key', 'secret-value', 'secret-token', 'secret-query']
const authorization = 'Authorization: Bearer secret-token\r\n'
const target = 'secret-key?as=secret-query'
const method = /^Request (\S+) /

afterEach(() => configureLogging({ level: 'error', structured: false }))

async function exchange(socket: Socket, requests: string, count: number): Promise<void> {
  let answers = ''
  socket.on('data', (chunk) => (answers += String(chunk)))
  socket.write(requests)
  await until('all is answered', () => statusesIn(answers).length === count)
}

/** Messages without what differs from one run to the next. */
function messagesOf(lines: readonly Line[], client: string): string[] {
  return lines.map(({ message }) =>
    message
      .replaceAll(client, 'CLIENT')
      .replaceAll(/\d+(\.\d+)? ms/g, 'N ms')
      .replaceAll(/from port \d+/g, 'from port P'),
  )
}

describe.each(transports)('$name a connection', (transport) => {
  /** The lines of a connection that asks for a value, a missing key, a flush and a value again, and ends. */
  async function linesOfConnection(level: LogLevel): Promise<{ lines: Line[]; client: string }> {
    await using served = transport.serveFake({ token: 'secret-token' })
    served.store.put('secret-key', 'secret-value')
    const lines = linesAt(level)
    const socket = await transport.open(served.server.port)
    const client = `127.0.0.1:${socket.localPort}`
    const requests = [get(target, authorization), get('secret-none', authorization), get('secret-key')]
    await exchange(socket, requests.join('') + flush.replace('\r\n\r\n', `\r\n${authorization}\r\n`), 4)
    socket.end()
    await until('it is closed', () => socket.closed)
    if (level !== 'info') {
      const ends = () => lines.filter(({ message }) => / closed /.test(message))
      await until('the ends of connection and tunnel are logged', () => ends().length === 2)
    }
    return { lines, client }
  }

  test('has lines for its begin, tunnel, requests and end at trace, without key, value, token or query', async () => {
    const { lines, client } = await linesOfConnection('trace')
    expect(messagesOf(lines, client).toSorted()).toEqual([
      'Connection from CLIENT closed after N ms: its end was received',
      'Connection from CLIENT opened',
      'Request GET from CLIENT: status 200, 12 bytes in N ms (fast path, store orders)',
      expect.stringMatching(/^Request GET from CLIENT: status 401, \d+ bytes in N ms \(fast path, store orders\)$/),
      expect.stringMatching(/^Request GET from CLIENT: status 404, \d+ bytes in N ms \(fast path, store orders\)$/),
      expect.stringMatching(/^Request POST from CLIENT: status 200, \d+ bytes in N ms \(Bun's server, store orders\)$/),
      'Tunnel closed for CLIENT: it was from port P',
      "Tunnel opened for CLIENT: requests pass to Bun's server from port P",
    ])
    for (const secret of secrets) expect(JSON.stringify(lines)).not.toContain(secret)
    expect(lines.filter(({ category }) => category !== 'latchkey.http')).toEqual([])
  })

  test('has no lines for its requests at debug, and none at all at info', async () => {
    const { lines } = await linesOfConnection('debug')
    expect(lines.map(({ message }) => message.split(' ', 2).join(' ')).toSorted()).toEqual([
      'Connection from',
      'Connection from',
      'Tunnel closed',
      'Tunnel opened',
    ])
    expect((await linesOfConnection('info')).lines).toEqual([])
  })

  test('has a line for a request that Bun refuses, without the word that it sends as a method', async () => {
    await using served = transport.serveFake()
    const lines = linesAt('trace')
    await transport.rawRequest(served.server.port, 'secret-token / HTTP/1.1\r\nHost: a\r\n\r\n')
    await until('it is logged', () => lines.some(({ message }) => method.test(message)))
    const { properties } = lines.find(({ message }) => method.test(message))!
    expect(properties).toMatchObject({ method: 'unknown', status: 501, store: 'orders' })
    expect(JSON.stringify(lines)).not.toContain('secret')
  })

  test('has the reason why it was closed', async () => {
    const lines = linesAt('debug')
    const reasons = () => lines.flatMap(({ properties }) => properties['reason'] ?? [])
    const served = transport.serveFake()
    const { port } = served.server
    await transport.rawRequest(port, get('a', 'Connection: close\r\n'), () => false)
    await until('its end is logged', () => reasons().length === 1)
    const reset = await transport.open(port)
    await exchange(reset, get('a'), 1)
    reset.resetAndDestroy()
    await until('its end is logged', () => reasons().length === 2)
    await exchange(await transport.open(port), get('a'), 1)
    await served[Symbol.asyncDispose]()
    await until('its end is logged', () => reasons().length === 3)
    expect(reasons()).toEqual(['its last response was sent', expect.any(String), 'the server stops'])
  })
})

test.each(allTransports.filter(({ hasFastPath }) => !hasFastPath))(
  '$name requests have lines at trace only',
  async ({ serveFake, rawRequest }) => {
    for (const level of ['trace', 'debug'] as const) {
      const lines = linesAt(level)
      await using served = serveFake({ token: 'secret-token' })
      served.store.put('secret-key', 'secret-value')
      const requests = get(target, authorization) + get('secret-key')
      expect(statusesIn(await rawRequest(served.server.port, requests, isAnswered(2)))).toEqual([200, 401])
      if (level === 'debug') expect(lines).toEqual([])
      else {
        await until('both are logged', () => lines.length === 2)
        const [found] = lines.map(({ properties }) => properties)
        expect(found).toMatchObject({ method: 'GET', status: 200, bytes: 12, server: "Bun's server", store: 'orders' })
        for (const secret of secrets) expect(JSON.stringify(lines)).not.toContain(secret)
      }
    }
  },
)

describe('a connection that the server closes has the reason', () => {
  test.each([
    ['it was idle', (): string => ''],
    ['its request was incomplete for too long', (): string => 'GET /'],
    ['it made no progress', (): string => get('a')],
  ])('%s', (reason, request) => {
    const lines = linesAt('debug')
    const host = fastPathOf(() => valueOf(new Uint8Array(1_000)))
    const { connection } = connect(host, 10)
    connection.received(Buffer.from(request()))
    host.ticks += idleTicks + 1
    connection.expire(idleTicks)
    connection.closed()
    expect(lines.at(-1)?.properties['reason']).toBe(reason)
  })

  test('it did not take its responses', () => {
    const lines = linesAt('debug')
    const held = new HeldAnswers({ bytesMax: 1_000, burstBytesMax: 1_000, stalledTicks: 5 })
    const host = { ...fastPathOf(() => valueOf(new Uint8Array(200_000))), held }
    const [slow, other] = [connect(host, 10), connect(host, 10)]
    for (const { connection } of [slow, other]) connection.received(Buffer.from(get('a')))
    slow.connection.closed()
    expect(lines.at(-1)?.properties['reason']).toBe('it did not take its responses')
  })
})

test.each([
  ['info', undefined],
  ['debug', expect.anything()],
] as const)('at %s a connection has a log: %p', (level, expected) => {
  linesAt(level)
  const { connection } = connect(
    fastPathOf(() => valueOf(new Uint8Array(1))),
    10,
  )
  expect(connection.log).toEqual(expected)
})
