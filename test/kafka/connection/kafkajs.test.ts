/** Holds the seam to kafkajs: that the internals which lib/kafka/connection uses exist, and behave. */
import { afterEach, expect, test } from 'bun:test'
import type { Socket } from 'node:net'
import { version } from 'kafkajs/package.json'
import Broker from 'kafkajs/src/broker'
import ConnectionPool from 'kafkajs/src/network/connectionPool'
import RequestQueue from 'kafkajs/src/network/requestQueue'
import { requests } from 'kafkajs/src/protocol/requests'
import { LatchkeyError } from '../../../lib/errors.ts'
import { BrokerConnection } from '../../../lib/kafka/connection/broker-connection.ts'
import { Encoder, type RawRequest } from '../../../lib/kafka/connection/raw-request.ts'
import { fetchRequest } from '../../../lib/kafka/protocol/fetch.ts'
import type { BrokerAddress } from '../../../lib/store-protocol/client-config.ts'
import manifest from '../../../package.json'
import { startScriptedServer } from '../../support/kafka/fakes/scripted-server.ts'
import { createTopic, sharedKafka, uniqueName } from '../../support/kafka/index.ts'
import { soon } from '../../support/until.ts'

const open: { close: () => unknown }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

function connectionTo(address: BrokerAddress, connectionTimeoutMs = 10_000): BrokerConnection {
  const connection = new BrokerConnection(address, { clientId: 'test', connectionTimeoutMs })
  open.push(connection)
  return connection
}

async function brokerAddress(): Promise<BrokerAddress> {
  const [host = '', port] = (await sharedKafka()).bootstrap.split(':')
  return { host, port: Number(port) }
}

/** Metadata for no topic, version 1. */
const rawMetadata: RawRequest = {
  apiKey: 3,
  apiVersion: 1,
  apiName: 'Metadata',
  encode: () => new Encoder(4).writeInt32(0),
}

async function serverThat(use?: (socket: Socket) => void): Promise<BrokerAddress> {
  const server = await startScriptedServer(use)
  open.push(server)
  return { host: server.host, port: server.port }
}

async function failureOf(exchange: Promise<unknown>): Promise<LatchkeyError> {
  const error = await exchange.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof LatchkeyError)) throw new Error(`expected a LatchkeyError, got ${String(error)}`)
  return error
}

test('kafkajs has the version whose internals were reviewed', () => {
  expect(version).toBe('2.2.4')
  expect(manifest.dependencies.kafkajs).toBe(version)
})

test('kafkajs has the internals that are used when it is loaded', () => {
  const silent = { namespace: () => silent, debug() {}, info() {}, warn() {}, error() {} }
  const pool = new ConnectionPool({ host: 'nowhere', port: 1, logger: silent, clientId: 'test' })
  expect(pool.pool).toHaveLength(2)
  for (const connection of pool.pool) {
    expect(connection.rejectRequests).toBeFunction()
    expect(connection.requestQueue.destroy).toBeFunction()
    expect(connection.isConnected()).toBe(false)
  }
  expect(new Broker({ connectionPool: pool, logger: silent }).connectionPool).toBe(pool)
  expect(RequestQueue.prototype.scheduleCheckPendingRequests).toBeFunction()
})

test.each([
  ['Metadata', 6],
  ['GroupCoordinator', 2],
  ['ListOffsets', 3],
  ['OffsetFetch', 4],
  ['OffsetCommit', 5],
  ['InitProducerId', 1],
  ['AddPartitionsToTxn', 1],
  ['EndTxn', 1],
  ['DescribeConfigs', 2],
  ['CreateTopics', 3],
])('kafkajs speaks %s version %d', (name, apiVersion) => {
  const { request, response } = requests[name]!.protocol({ version: apiVersion })({ topics: [], resources: [] })
  expect(request).toMatchObject({ apiVersion })
  expect(response.decode).toBeFunction()
})

test('send returns the bytes after the correlation id when the broker answers', async () => {
  const response = await connectionTo(await brokerAddress()).send(rawMetadata, 10_000)
  expect(response.readInt32BE(0)).toBe(1) // one broker
})

test('call returns what kafkajs decoded, with error codes left inside, when the broker answers with one', async () => {
  const args = { topics: ['no-such-topic'], allowAutoTopicCreation: false }
  const response = await connectionTo(await brokerAddress()).call('Metadata', 6, args, 10_000)
  expect(response).toMatchObject({ topicMetadata: [{ topic: 'no-such-topic', topicErrorCode: 3 }] })
})

test('requests are answered when a Fetch of the same connection waits at the broker', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('waits'))
  const connection = connectionTo(await brokerAddress())
  const options = { maxWaitMs: 20_000, minBytes: 1, maxBytes: 1000, partitionMaxBytes: 1000, rack: '' }
  const request = fetchRequest(topic, [{ partition: 0, offset: 0 }], { ...options, isolation: 'read_committed' })
  let held: unknown = 'waits'
  const ended = connection.send(request, 30_000).then(
    () => (held = 'answered'),
    (error: LatchkeyError) => (held = error.code),
  )
  for (let i = 0; i < 3; i++) await connection.send(rawMetadata, 10_000)
  expect(held).toBe('waits')
  connection.close()
  expect(await ended).toBe('broker_unreachable')
})

test('send times out, and the connection stays closed, when the broker accepts but does not answer', async () => {
  const connection = connectionTo(await serverThat(), 50)
  const error = await failureOf(connection.send(rawMetadata, 50))
  expect(error).toMatchObject({ code: 'request_timed_out', retriable: true })
  expect(error.message).toMatch(/^Metadata to 127\.0\.0\.1:\d+: no answer within \d+ ms$/)
  expect(connection.closed).toBe(true)
  expect(await failureOf(connection.send(rawMetadata, 50))).toMatchObject({ code: 'broker_unreachable' })
})

test('send fails as unreachable when nothing listens', async () => {
  const address = await serverThat()
  for (const one of open.splice(0)) one.close()
  const error = await failureOf(connectionTo(address).send(rawMetadata, 5000))
  expect(error).toMatchObject({ code: 'broker_unreachable', retriable: true })
  expect(error.message).toContain(`Metadata to 127.0.0.1:${address.port}: `)
})

test('send fails as unreachable when the broker hangs up', async () => {
  const address = await serverThat((socket) => socket.once('data', () => socket.destroy()))
  const error = await failureOf(connectionTo(address).send(rawMetadata, 5000))
  expect(error).toMatchObject({ code: 'broker_unreachable' })
})

test('send fails when the broker answers with nonsense', async () => {
  const nonsense = Buffer.concat([Buffer.from([0, 0, 0, 8]), Buffer.alloc(8, 0xff)])
  const address = await serverThat((socket) => socket.on('data', () => socket.write(nonsense)))
  const error = await failureOf(connectionTo(address, 100).send(rawMetadata, 100))
  expect(error.retriable).toBe(true)
})

test('close rejects requests that are under way, and is harmless when repeated', async () => {
  const connection = connectionTo(await serverThat())
  const failure = failureOf(connection.send(rawMetadata, 60_000))
  await Bun.sleep(1)
  connection.close()
  connection.close()
  expect(await failure).toMatchObject({ code: 'broker_unreachable' })
})

test('requests set no timers of negative length', async () => {
  const script = `
    import { BrokerConnection } from '${import.meta.dir}/../../../lib/kafka/connection/broker-connection.ts'
    import { Encoder } from '${import.meta.dir}/../../../lib/kafka/connection/raw-request.ts'
    const [host, port] = process.argv[1].split(':')
    const connection = new BrokerConnection({ host, port: Number(port) }, { clientId: 'test', connectionTimeoutMs: 10_000 })
    const request = { apiKey: 3, apiVersion: 1, apiName: 'Metadata', encode: () => new Encoder(4).writeInt32(0) }
    for (let i = 0; i < 5; i++) await connection.send(request, 10_000)
    connection.close()
    console.log('done')`
  const { bootstrap } = await sharedKafka()
  const { stdout, stderr, exitCode } = Bun.spawnSync([process.execPath, '-e', script, bootstrap])
  expect(stdout.toString()).toBe('done\n')
  expect(stderr.toString()).toBe('')
  expect(exitCode).toBe(0)
})

test('a process exits when its connections are closed', async () => {
  // A timer that is left behind holds the process for as long as its deadline is.
  const script = `
    import { KafkaClient } from '${import.meta.dir}/../../../lib/kafka/client.ts'
    const [host, port] = process.argv[1].split(':')
    const deadlines = { connectionTimeoutMs: 600_000, requestTimeoutMs: 600_000, lateMs: 600_000 }
    const client = new KafkaClient({ subject: 'test', brokers: [{ host, port: Number(port) }], clientId: 'test', ...deadlines })
    await client.metadata(['__consumer_offsets'])
    client.close()
    console.log('closed')`
  const { bootstrap } = await sharedKafka()
  const child = Bun.spawn([process.execPath, '-e', script, bootstrap], { stdout: 'pipe', stderr: 'pipe' })
  try {
    expect(await soon('the end of the process', child.exited)).toBe(0)
  } finally {
    child.kill()
  }
  expect(await new Response(child.stdout).text()).toBe('closed\n')
  expect(await new Response(child.stderr).text()).toBe('')
})
