/** Every listener of a real broker, with what fits and with what does not. */
import { afterEach, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { LatchkeyError } from '../../../lib/errors.ts'
import { KafkaClient } from '../../../lib/kafka/client.ts'
import { startScriptedServer } from '../../support/kafka/fakes/scripted-server.ts'
import { toAddress } from '../../support/kafka/real-client.ts'
import { keyPassword } from '../../support/kafka/security/certificates.ts'
import {
  clientsOf,
  passwordOf,
  scramPassword,
  securedKafka,
  shortSessionMs,
} from '../../support/kafka/security/secured-kafka.ts'
import { until } from '../../support/until.ts'

const open: { close: () => unknown }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

type Properties = Record<string, string>

/** Resolves with OK, or with the failure of the first request. */
async function connect(address: string, properties: Properties): Promise<'OK' | LatchkeyError> {
  const { brokers: _, clientId: __, ...connection } = clientsOf(properties).consumer.connection
  const client = new KafkaClient({ ...connection, subject: 'test', brokers: [toAddress(address)], clientId: 'test' })
  open.push(client)
  try {
    await client.metadata(['any'])
    return 'OK'
  } catch (error) {
    if (error instanceof LatchkeyError) return error
    throw error
  }
}

async function connectTo(listener: string, properties: Properties): Promise<'OK' | LatchkeyError> {
  const { broker, certificates } = await securedKafka()
  const named = Object.entries(properties).map(([name, value]) => [name, fileOf(value, certificates)])
  return connect(broker.listeners[listener] ?? broker.direct, Object.fromEntries(named))
}

/** `<client.key>` is the path of a certificate's file. */
function fileOf(value: string, certificates: object): string {
  const path = /^<(.+)>$/.exec(value)?.[1]
  if (path === undefined) return value
  return String(path.split('.').reduce((found, name) => found[name] as never, certificates as Record<string, unknown>))
}

const ssl = { 'security.protocol': 'ssl', 'ssl.ca.location': '<ca>' }
const client = { 'ssl.certificate.location': '<client.certificate>', 'ssl.key.location': '<client.key>' }
const stranger = { 'ssl.certificate.location': '<stranger.certificate>', 'ssl.key.location': '<stranger.key>' }
const plain = (user: string, password = passwordOf(user)) => ({
  'sasl.mechanism': 'PLAIN',
  'sasl.username': user,
  'sasl.password': password,
})
const scram = (mechanism: string, password = scramPassword) => ({
  'sasl.mechanism': mechanism,
  'sasl.username': 'sam',
  'sasl.password': password,
})
const saslPlaintext = { 'security.protocol': 'sasl_plaintext' }
const saslSsl = { 'security.protocol': 'SASL_SSL', 'ssl.ca.location': '<ca>' }

test.each<[listener: string, how: string, properties: Properties]>([
  ['DIRECT', 'nothing', {}],
  ['TLS', 'the CA', ssl],
  ['TLS', 'no verification', { 'security.protocol': 'ssl', 'enable.ssl.certificate.verification': 'false' }],
  ['ELSEWHERE', 'no host name', { ...ssl, 'ssl.endpoint.identification.algorithm': 'none' }],
  ['MUTUAL', 'a client certificate', { ...ssl, ...client }],
  [
    'MUTUAL',
    'an encrypted key',
    { ...ssl, ...client, 'ssl.key.location': '<encryptedKey>', 'ssl.key.password': keyPassword },
  ],
  ['SASLPLAINTEXT', 'PLAIN', { ...saslPlaintext, ...plain('alice') }],
  ['SASLPLAINTEXT', 'SCRAM-SHA-256', { ...saslPlaintext, ...scram('SCRAM-SHA-256') }],
  ['SASLPLAINTEXT', 'SCRAM-SHA-512', { ...saslPlaintext, ...scram('scram-sha-512') }],
  ['SASLTLS', 'PLAIN', { ...saslSsl, ...plain('alice') }],
  ['SASLTLS', 'SCRAM-SHA-256', { ...saslSsl, ...scram('SCRAM-SHA-256') }],
  ['SASLTLS', 'SCRAM-SHA-512', { ...saslSsl, ...scram('SCRAM-SHA-512') }],
])('a client is accepted by %s with %s', async (listener, _how, properties) => {
  expect(await connectTo(listener, properties)).toBe('OK')
})

test.each([
  ['PLAIN', plain('alice')],
  ['SCRAM-SHA-256', scram('SCRAM-SHA-256')],
])('a connection authenticates again by %s before its session ends, however short that is', async (_how, sasl) => {
  const { broker } = await securedKafka()
  const { brokers: _, clientId: __, ...connection } = clientsOf({ ...saslPlaintext, ...sasl }).consumer.connection
  const address = toAddress(broker.listeners['SHORTSESSION']!)
  const opened = new KafkaClient({ ...connection, subject: 'test', brokers: [address], clientId: 'test' })
  open.push(opened)
  const from = performance.now()
  await until('it has outlived two sessions', async () => {
    await opened.metadata(['any'])
    return performance.now() - from > 2.5 * shortSessionMs
  })
})

test.each<[listener: string, why: string, properties: Properties, said: string[]]>([
  ['TLS', 'no CA', { 'security.protocol': 'ssl' }, ['certificate is not trusted', 'ssl.ca.location']],
  ['TLS', 'plain text', {}, ['speaks TLS', 'security.protocol=ssl']],
  ['TLS', 'SASL', { ...saslSsl, ...plain('alice') }, ['has no SASL', 'security.protocol to plaintext or ssl']],
  ['DIRECT', 'TLS', ssl, ['speaks no TLS', 'security.protocol']],
  ['DIRECT', 'SASL', { ...saslPlaintext, ...plain('alice') }, ['has no SASL', 'security.protocol']],
  ['ELSEWHERE', 'the host name', ssl, ['another host name', 'kafka.example', 'ssl.endpoint.identification.algorithm']],
  ['EXPIRED', 'the date', ssl, ['has expired']],
  ['MUTUAL', 'no client certificate', ssl, ['refused the handshake', 'ssl.certificate.location']],
  [
    'MUTUAL',
    'an unknown client certificate',
    { ...ssl, ...stranger },
    ['refused the handshake', 'ssl.certificate.location'],
  ],
  [
    'SASLPLAINTEXT',
    'a password',
    { ...saslPlaintext, ...plain('alice', 'wr0ng') },
    ['PLAIN as user alice', 'sasl.password'],
  ],
  [
    'SASLPLAINTEXT',
    'a SCRAM password',
    { ...saslPlaintext, ...scram('SCRAM-SHA-512', 'wr0ng') },
    ['SCRAM-SHA-512 as user sam'],
  ],
  [
    'SASLPLAINTEXT',
    'an unknown user',
    { ...saslPlaintext, ...plain('unknown', 'wr0ng') },
    ['as user unknown', 'sasl.username'],
  ],
  ['SASLPLAINTEXT', 'no SASL', {}, ['wants SASL', 'PLAIN', 'SCRAM-SHA-512', 'sasl.mechanism']],
  ['SASLPLAINTEXT', 'TLS', ssl, ['speaks no TLS']],
  ['SASLTLS', 'a password', { ...saslSsl, ...plain('alice', 'wr0ng') }, ['PLAIN as user alice', 'sasl.password']],
  ['SASLTLS', 'no SASL', ssl, ['wants SASL', 'security.protocol']],
  ['SASLTLS', 'no TLS', { ...saslPlaintext, ...plain('alice') }, ['speaks TLS', 'sasl_ssl']],
])('a client reports the problem when %s does not fit because of %s', async (listener, _why, properties, said) => {
  const failure = await connectTo(listener, properties)
  if (failure === 'OK') throw new Error('it got in')
  expect(failure).toMatchObject({ code: 'authentication_failed', retriable: false })
  for (const words of said) expect(failure.message).toContain(words)
  expect(failure.message).not.toContain('wr0ng')
  expect(failure.message).not.toContain('s=cret')
})

/** @returns its host:port */
async function serverThat(use: (socket: Socket) => void): Promise<string> {
  const server = await startScriptedServer(use)
  open.push(server)
  return `${server.host}:${server.port}`
}

test.each<[string, Properties]>([
  ['plain text', {}],
  ['TLS', { 'security.protocol': 'ssl' }],
  ['SASL', { ...saslPlaintext, ...plain('alice') }],
])('a broker that closes the connection on %s counts as unreachable, not as refusing', async (_how, properties) => {
  const address = await serverThat((socket) => socket.destroy())
  expect(await connect(address, properties)).toMatchObject({ code: 'broker_unreachable', retriable: true })
})

test('a broker that closes the connection during authentication counts as unreachable', async () => {
  // It answers ApiVersions, with SaslHandshake and SaslAuthenticate, and the handshake; then it hangs up.
  let requests = 0
  const versions = Buffer.from('000000000003001100000001001200000002002400000001', 'hex')
  const address = await serverThat((socket) =>
    socket.on('data', (request: Buffer) => {
      const answers = [versions, Buffer.from('0000000000010005504c41494e', 'hex')]
      const answer = answers[requests++]
      if (answer === undefined) return socket.destroy()
      const head = Buffer.alloc(8)
      head.writeInt32BE(answer.length + 4)
      request.copy(head, 4, 8, 12)
      socket.write(Buffer.concat([head, answer]))
    }),
  )
  const failure = await connect(address, { ...saslPlaintext, ...plain('alice') })
  expect(requests).toBeGreaterThan(2)
  expect(failure).toMatchObject({ code: 'broker_unreachable' })
})

test('an HTTP port is reported as not a broker', async () => {
  const address = await serverThat((socket) =>
    socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
  )
  const failure = await connect(address, {})
  expect(failure).toMatchObject({ code: 'response_malformed' })
  expect((failure as LatchkeyError).message).toContain('speaks HTTP')
})

test.each([
  ['larger than the bound', '7fffffff', 'receive.message.max.bytes=110000000'],
  ['negative', '80000000', 'is it a Kafka broker?'],
  ['too short to be one', '00000003', 'receive.message.max.bytes'],
])('a response whose length is %s is a clear error at once', async (_what, length, said) => {
  const address = await serverThat((socket) => socket.on('data', () => socket.write(Buffer.from(length, 'hex'))))
  const failure = await connect(address, {})
  expect(failure).toMatchObject({ code: 'response_malformed', retriable: true })
  expect((failure as LatchkeyError).message).toContain(said)
})
