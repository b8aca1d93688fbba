/** Debug and trace lines of clients. */
import { afterEach, expect, test } from 'bun:test'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { configureLogging, type LogLevel } from '../../lib/log/index.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import {
  answer as answerFetch,
  batch,
  start as startFetcher,
  stopFetchers,
} from '../support/kafka/fakes/fetcher-setup.ts'
import { answer, start, stopProducers } from '../support/kafka/fakes/producer-setup.ts'
import { ScriptedCluster } from '../support/kafka/fakes/scripted-cluster.ts'
import { type Line, linesAt } from '../support/log/lines.ts'
import { until } from '../support/until.ts'

afterEach(() => {
  stopFetchers()
  stopProducers()
  configureLogging({ level: 'error', structured: false })
})

/** What a client logs that connects, sends one request, learns of another leader and closes. */
async function linesOfClient(level: LogLevel): Promise<{ lines: Line[]; broker: string }> {
  await using cluster = await ScriptedCluster.start(1)
  const { port } = cluster.broker(1)
  cluster.leaders.set('topic', [1])
  const lines = linesAt(level)
  const client = new KafkaClient({
    subject: 'test',
    brokers: [{ host: '127.0.0.1', port }],
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  })
  await client.metadata(['topic'])
  const found = { topic: 'topic', id: undefined, errorCode: 0 }
  const partition = { partition: 0, leader: 1, replicas: 1, errorCode: 0 }
  client.topics.update({ ...found, partitions: [{ ...partition, leaderEpoch: 100 }] })
  client.topics.update({ ...found, partitions: [{ ...partition, leaderEpoch: 101 }] })
  client.close()
  if (level !== 'info') await until('the end is logged', () => lines.some(({ message }) => / closed /.test(message)))
  return { lines, broker: `127.0.0.1:${port}` }
}

test('a client logs its connections, versions and leaders at debug, and nothing at info', async () => {
  const { lines, broker } = await linesOfClient('debug')
  const messages = lines.map(({ message }) => message.replace(/\d+ ms/, 'N ms'))
  expect(messages).toContain(`Connected to ${broker} (plaintext, test) in N ms`)
  expect(messages.some((text) => text.startsWith(`Highest versions at ${broker}: Produce `))).toBe(true)
  expect(messages).toContain('Leader of topic partition 0 is node 1 since leader epoch 101')
  expect(messages).toContain(`Connection to ${broker} (plaintext, test) closed after N ms`)
  expect(lines.filter(({ level }) => level !== 'debug')).toEqual([])
  expect((await linesOfClient('info')).lines).toEqual([])
})

test('a client logs each request at trace', async () => {
  const { lines, broker } = await linesOfClient('trace')
  const requests = lines.filter(({ level }) => level === 'trace').map(({ properties }) => properties)
  const [version, ms] = [expect.any(Number), expect.any(Number)]
  expect(requests).toContainEqual({ api: 'Metadata', version, broker, ms, client: 'test' })
})

test.each([['trace'], ['debug']] as const)('Fetch and Produce have lines at trace only: %s', async (level) => {
  const lines = linesAt(level)
  const fetches = new FakeClient()
  startFetcher(fetches, { 0: 0 })
  const records = batch(0)
  await answerFetch(fetches, { partition: 0, records })
  await fetches.next()
  const writes = new FakeClient()
  const { write } = start(writes)
  write(0, 'a')
  await answer(writes, { partition: 0, baseOffset: 0 })
  write(0, 'b')
  await writes.next()
  const transfers = lines.filter(({ message }) => /^(Fetched|Produced) /.test(message))
  if (level === 'debug') return expect(transfers).toEqual([])
  const ms = expect.any(Number)
  const [fetched, produced] = transfers.map(({ properties }) => properties)
  expect(fetched).toMatchObject({ partitions: '[0]', bytes: records.length, throttleMs: 0, ms })
  expect(produced).toMatchObject({ partitions: '[0]', batches: 1, bytes: ms, ms })
})
