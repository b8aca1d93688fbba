/** Names that a store answers to: what a page of another site must not get at by having its own name lead to this machine. */
import { describe, expect, test } from 'bun:test'
import { hostname } from 'node:os'
import { configureLogging } from '../../lib/log/index.ts'
import { LookupStats } from '../../lib/metrics/index.ts'
import { ForwardedRequests } from '../../lib/server/forwarded-requests.ts'
import { hostRuleOf } from '../../lib/server/host-rule.ts'
import { guarded, guardedBehind } from '../../lib/server/request-guard.ts'
import { Token } from '../../lib/text/token.ts'
import { makeCertificate } from '../support/http/certificate.ts'
import { problemOf, serveFake } from '../support/http/fake-store.ts'
import { rawRequest } from '../support/http/raw-request.ts'
import { modes } from '../support/http/transports.ts'
import { statusesIn } from '../support/server/clients.ts'
import { connect, fastPathOf, turn } from '../support/server/fake-connection.ts'

const noToken = new Token(undefined)
const none = { token: noToken, refused: () => false }

function ruleOf(hosts?: string[]) {
  return hostRuleOf({ ...none, hosts })!
}

describe('a host', () => {
  test('is refused with the advice to list it, and with SERVER_HOSTS without the advice of a token, which would not help', async () => {
    expect(await ruleOf().refusal('evil.example').text()).toContain('or set SERVER_TOKEN_FILE')
    const { detail } = (await ruleOf(['orders.example']).refusal('evil.example').json()) as { detail: string }
    expect(detail).toEndWith('list it in SERVER_HOSTS')
  })

  test.each([
    'localhost',
    'LocalHost:8080',
    'localhost.',
    '127.0.0.1',
    '127.0.0.1:8080',
    '192.168.1.7:80',
    '[::1]',
    '[::1]:8080',
    hostname(),
    `${hostname().toUpperCase()}:1`,
    null,
  ])('is admitted without any setting when it is %p', (host) => {
    expect(ruleOf().admits(host)).toBeTrue()
  })

  test.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.1',
    '[evil]',
    '[::1',
    '',
    '*',
    'localhost, localhost',
  ])('is not admitted when it is %p', (host) => {
    expect(ruleOf().admits(host)).toBeFalse()
  })

  test.each([
    [['orders.example'], 'orders.example', true],
    [['orders.example'], 'ORDERS.example.:80', true],
    [['orders.example'], 'a.orders.example', false],
    [['orders.example'], 'localhost', true],
    [['orders.example'], '10.0.0.1', true],
    [['*.example'], 'a.example', true],
    [['*.example'], 'a.b.example:8080', true],
    [['*.example'], 'example', false],
    [['*.example'], 'evilexample', false],
    [['*.example'], 'a.example.evil', false],
    [['a', '*'], 'evil.example', true],
  ])('with SERVER_HOSTS=%p %p is admitted: %p', (hosts, host, isAdmitted) => {
    expect(ruleOf(hosts).admits(host)).toBe(isAdmitted)
  })

  test('is judged independently of earlier ones', () => {
    const rule = ruleOf(['a'])
    expect(['a', 'b', 'b', 'a', null, 'b'].map((host) => rule.admits(host))).toEqual([
      true,
      false,
      false,
      true,
      true,
      false,
    ])
  })

  test('is checked without a token, or when names are set', () => {
    expect(hostRuleOf({ ...none, token: new Token('t') })).toBeUndefined()
    expect(hostRuleOf(none)?.isForAll).toBeFalse()
    expect(hostRuleOf({ ...none, token: new Token('t'), hosts: ['a'] })?.isForAll).toBeTrue()
  })
})

describe('a connection', () => {
  const request = (host: string) => new Request('http://a/livez', { headers: { host } })
  const from = (address: string, port = 1) =>
    ({ requestIP: () => ({ address, port }) }) as unknown as Bun.Server<undefined>
  const answer = () => new Response('answered')

  test.each([
    [undefined, '127.0.0.1', 421],
    [undefined, '127.8.9.1', 421],
    [undefined, '::1', 421],
    [undefined, '::ffff:127.0.0.1', 421],
    [undefined, '192.168.1.7', 200],
    [undefined, '::ffff:10.0.0.1', 200],
    [['a'], '192.168.1.7', 421],
    [['evil.example'], '127.0.0.1', 200],
  ])('with SERVER_HOSTS=%p from %p is answered %p', async (hosts, address, status) => {
    const fastPath = { ...fastPathOf(() => new Response('answered')), hostRule: ruleOf(hosts) }
    const { socket, connection } = connect(fastPath, Infinity)
    socket.remoteAddress = address
    connection.received(Buffer.from('GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n'))
    await turn()
    expect(statusesIn(socket.text)).toEqual([status])
    // Without the fast path, Bun's server has the address.
    const handler = guarded(answer, ruleOf(hosts))
    expect((await handler(request('evil.example'), from(address))).status).toBe(status)
  })

  test.each([
    [undefined, true, 421],
    [undefined, false, 200],
    [['a'], false, 421],
    [['evil.example'], true, 200],
  ])(
    'with SERVER_HOSTS=%p forwarded, from a client on this machine %p, is answered %p',
    async (hosts, isLocal, status) => {
      const forwarded = new ForwardedRequests()
      forwarded.add(7, isLocal)
      const handler = guardedBehind(answer, ruleOf(hosts), forwarded)
      expect((await handler(request('evil.example'), from('127.0.0.1', 7))).status).toBe(status)
      expect((await handler(request('localhost'), from('127.0.0.1', 8))).status).toBe(403)
    },
  )
})

describe('a server without a token', () => {
  const requestForms: [string, boolean, (host: string, target?: string) => string][] = [
    ['plain', true, (host, target = '/stores/orders/a') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
    [
      'forwarded',
      true,
      (host, target = '/stores/orders/a') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX: 1\r\nX: 2\r\n\r\n`,
    ],
    [
      'without the fast path',
      false,
      (host, target = '/stores/orders/a') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    ],
  ]

  test.each(requestForms)(
    'refuses unknown names, and counts them, when requests are %s',
    async (_, hasFastPath, ask) => {
      let refused = 0
      const hostRule = hostRuleOf({ token: noToken, refused: () => refused++ > 0 })
      await using served = serveFake({ hasFastPath, hostRule })
      served.store.put('a', 'A')
      const { port } = served.server
      for (const host of ['127.0.0.1', 'localhost:1', hostname()]) {
        expect(await rawRequest(port, ask(host))).toStartWith('HTTP/1.1 200 ')
      }
      const answer = await rawRequest(port, ask('evil.example'))
      expect(answer).toStartWith('HTTP/1.1 421 ')
      expect(answer).toContain('"code":"host_not_allowed"')
      expect(answer).toContain('SERVER_HOSTS')
      expect(refused).toBe(1)
      expect(await rawRequest(port, ask('evil.example', '/livez'))).toStartWith('HTTP/1.1 421 ')
      expect(refused).toBe(2)
    },
  )

  test('logs refused names once', () => {
    const lines: string[] = []
    configureLogging({ level: 'info', structured: false, write: (line) => lines.push(line) })
    const stats = new LookupStats()
    const rule = hostRuleOf({ token: noToken, refused: () => stats.observeRefusedHost() })!
    for (const host of ['evil.example', 'worse.example', 'evil.example']) rule.refusal(host)
    configureLogging({ level: 'error', structured: false })
    expect(lines).toEqual([expect.stringContaining('Refused a request for its Host: "evil.example" is not an address')])
  })

  test.each(modes)('checks each request of a connection, %s', async (_, hasFastPath) => {
    await using served = serveFake({ hasFastPath, hostRule: hostRuleOf(none) })
    served.store.put('a', 'A')
    const ask = requestForms[0]![2]
    const requests = [ask('localhost'), ask('localhost'), ask('evil.example'), ask('localhost'), ask('evil.example')]
    const isEnd = (answers: string) =>
      [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].length === 5 && answers.trimEnd().endsWith('}')
    const answers = await rawRequest(served.server.port, requests.join(''), isEnd)
    expect([...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(
      // The guard of Bun's server ends the connection with the refusal.
      hasFastPath ? ['200', '200', '421', '200', '421'] : ['200', '200', '421'],
    )
  })

  test.each(modes)('refuses them over TLS, too, %s', async (_, hasFastPath) => {
    const tls = { ...makeCertificate(), certPath: '', keyPath: '', subject: '', validUntil: new Date() }
    await using served = serveFake({ tls, hasFastPath, hostRule: hostRuleOf(none) })
    const ask = (host: string) => fetch(`${served.url}/livez`, { headers: { host }, tls: { ca: tls.cert } })
    expect((await ask('localhost')).status).toBe(200)
    expect((await problemOf(await ask('evil.example'))).code).toBe('host_not_allowed')
  })
})
