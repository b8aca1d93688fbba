/** Client properties of connections and retries, by what they do against servers that the test plays. */
import { afterEach, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import tls from 'node:tls'
import { readClientProperties } from '../../lib/config/client-properties/read.ts'
import { LatchkeyError } from '../../lib/errors.ts'
import { Backoff } from '../../lib/kafka/backoff.ts'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { RetryPolicy } from '../../lib/kafka/retry-policy.ts'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { sharedKafka, TcpProxy } from '../support/kafka/index.ts'
import { toAddress } from '../support/kafka/real-client.ts'
import { makeCertificates } from '../support/kafka/security/certificates.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const open: (() => unknown)[] = []
afterEach(async () => {
  stopFetchers()
  for (const close of open.splice(0)) await close()
})

/** A source consumer as a store makes it. */
function clientOf(address: string, text: string): KafkaClient {
  const { clients, faults } = readClientProperties([
    { variable: 'KAFKA_PROPERTIES', clients: ['consumer'], text, byLine: false },
  ])
  expect(faults).toEqual([])
  const { brokers: _, clientId: __, retryBackoffMs, retryBackoffMaxMs, ...connection } = clients.consumer.connection
  const retryBackoff = { firstMs: retryBackoffMs, maxMs: retryBackoffMaxMs }
  const client = new KafkaClient({
    ...connection,
    retryBackoff,
    subject: 'test',
    brokers: [toAddress(address)],
    clientId: 'test',
  })
  open.push(() => client.close())
  return client
}

async function serverThat(use: (socket: Socket) => void, host = '127.0.0.1'): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    use(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  open.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `localhost:${(server.address() as { port: number }).port}`
}

async function failureOf(attempt: Promise<unknown>): Promise<LatchkeyError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LatchkeyError)) throw new Error(`expected a LatchkeyError, got ${String(error)}`)
  return error
}

async function proxied(): Promise<TcpProxy> {
  const proxy = await TcpProxy.listen((await sharedKafka()).direct)
  open.push(() => proxy.close())
  return proxy
}

test('a request fails after socket.timeout.ms', async () => {
  const proxy = await proxied()
  const client = clientOf(proxy.address, 'socket.timeout.ms=150')
  await client.metadata(['any'])
  proxy.hold('responses')
  const failure = await failureOf(client.metadata(['any']))
  expect(failure).toMatchObject({ code: 'request_timed_out' })
  expect(failure.message).toContain('no answer within 150 ms')
})

test('a connection is closed after socket.connection.setup.timeout.ms without an answer', async () => {
  const client = clientOf(await serverThat(() => {}), 'socket.connection.setup.timeout.ms=1000')
  const failure = await failureOf(client.metadata(['any']))
  expect(failure).toMatchObject({ code: 'request_timed_out', retriable: true })
  expect(failure.message).toContain('no answer within 1000 ms')
})

test('a connection has as many unanswered requests as max.in.flight says', async () => {
  const proxy = await proxied()
  const client = clientOf(proxy.address, 'max.in.flight=2')
  await client.metadata(['any'])
  let requests = 0
  proxy.onRequest = () => void requests++
  proxy.hold('responses')
  const answers = Promise.all(Array.from({ length: 5 }, () => client.metadata(['any'])))
  await Bun.sleep(100)
  expect(requests).toBe(2)
  proxy.release()
  await answers
  expect(requests).toBe(5)
})

test('an operation fails after as many retries as retries says', async () => {
  const client = clientOf('localhost:1', 'retries=2,retry.backoff.ms=1')
  let attempts = 0
  const failure = await failureOf(
    client.retryForever(() => {
      attempts++
      return client.metadata(['any'])
    }),
  )
  expect(attempts).toBe(3)
  expect(failure).toMatchObject({ code: 'store_failed', retriable: false })
  expect(failure.message).toContain('given up after 2 retries, as retries=2 says')
})

test('fetching fails after as many retries as retries says', async () => {
  const fake = new FakeClient()
  fake.retriesMax = 1
  const { running } = start(fake, { 0: 5 })
  running.catch(() => {})
  for (let failures = 0; failures < 2; failures++) (await fake.next()).fail(unreachable())
  expect(await failureOf(running)).toMatchObject({ code: 'store_failed' })
})

test('pauses between attempts are as retry.backoff.ms and retry.backoff.max.ms say', () => {
  const retryPolicy = new RetryPolicy(new Backoff({ firstMs: 40, maxMs: 100 }))
  for (const ceiling of [40, 80, 100, 100]) {
    const ms = retryPolicy.nextMs(unreachable())
    expect(ms).toBeGreaterThanOrEqual(ceiling / 2)
    expect(ms).toBeLessThanOrEqual(ceiling)
  }
  const read = (text: string) =>
    readClientProperties([{ variable: 'X', clients: ['consumer'], text, byLine: false }]).clients.consumer.connection
  expect(read('retry.backoff.ms=9000')).toMatchObject({ retryBackoffMs: 9000, retryBackoffMaxMs: 9000 })
  expect(read('retry.backoff.max.ms=50')).toMatchObject({ retryBackoffMs: 50, retryBackoffMaxMs: 50 })
})

test('refused credentials are retried slowly if they had worked before, and end a start', async () => {
  const proxy = await proxied()
  const client = clientOf(proxy.address, '')
  const refused = new LatchkeyError('authentication_failed', 'Authenticating: refused')
  expect(await failureOf(client.retryForever(() => Promise.reject(refused)))).toBe(refused)
  await client.retryForever(() => client.metadata(['any']))
  let attempts = 0
  const persisting = client.retryForever(() => {
    attempts++
    return Promise.reject(refused)
  })
  await Bun.sleep(300)
  expect(attempts).toBe(1)
  expect(client.health.failures).toBe(1)
  client.close()
  expect(await failureOf(persisting)).toMatchObject({ code: 'stopping' })
})

test('addresses are of the version that broker.address.family says', async () => {
  const seen: string[] = []
  const address = await serverThat((socket) => {
    seen.push(socket.remoteFamily!)
    socket.destroy()
  })
  await failureOf(clientOf(address, 'broker.address.family=v4').metadata(['any']))
  expect(seen).toContain('IPv4')
  const before = seen.length
  const failure = await failureOf(clientOf(address, 'broker.address.family=v6').metadata(['any']))
  expect(failure).toMatchObject({ code: 'broker_unreachable' })
  expect(seen).toHaveLength(before)
})

test('ciphers are those of ssl.cipher.suites', async () => {
  const { broker, ca } = await makeCertificates(temporaryFolder('ciphers'))
  const ciphers: string[] = []
  const options = {
    cert: readFileSync(broker.certificate),
    key: readFileSync(broker.key),
    maxVersion: 'TLSv1.2',
  } as const
  const server = tls.createServer(options, (socket) => {
    ciphers.push(socket.getCipher().name)
    socket.on('error', () => {})
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(() => server.close())
  const { port } = server.address() as { port: number }
  for (const cipher of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384']) {
    const text = `security.protocol=ssl,ssl.ca.location=${ca},ssl.cipher.suites=${cipher}`
    await failureOf(clientOf(`localhost:${port}`, text).metadata(['any']))
    expect(ciphers[0]).toBe(cipher)
    ciphers.length = 0
  }
})
