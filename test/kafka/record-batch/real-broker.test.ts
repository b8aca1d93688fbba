import { expect, test } from 'bun:test'
import { RecordBatchBuilder } from '../../../lib/kafka/record-batch/index.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../../support/kafka/index.ts'
import { RawConnection } from '../../support/kafka/record-batch/raw-connection.ts'
import { append, noProducer, readAll, sample, type SampleRecord } from '../../support/kafka/record-batch/samples.ts'

const records: SampleRecord[] = [
  sample('first', 'value', 1_700_000_000_500, 0),
  sample('earlier', 'v'.repeat(5000), 1_600_000_000_000, 2 ** 53 - 1),
  sample('tombstone', null, 1_700_000_000_000, 12),
  sample('empty', '', 1_700_000_000_001),
  sample('ключ', 'значение', 1_700_000_000_002, 13),
]
/** Log offset of each when the batch is written twice. */
const twice = [...records, ...records].map((record, offset) => ({ ...record, offset }))

/** Writes the samples twice, from one builder, to a new topic. */
async function writeTwice(bootstrap: string, topic: string): Promise<void> {
  const builder = new RecordBatchBuilder(1 << 20)
  const connection = await RawConnection.open(bootstrap)
  try {
    for (let time = 0; time < 2; time++) {
      for (const record of records) append(builder, record)
      expect(await connection.produce(topic, 0, builder.seal(noProducer))).toEqual({
        error: 0,
        baseOffset: time * records.length,
      })
      builder.reset()
    }
  } finally {
    connection.close()
  }
}

test('a broker accepts our batches and returns them unchanged', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('ours'))
  await writeTwice(broker.bootstrap, topic)
  const connection = await RawConnection.open(broker.bootstrap)
  expect(readAll(await connection.fetch(topic, 0, 0))).toEqual(twice)
  connection.close()
})

test("Kafka's console consumer reads our batches with headers and timestamps", async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('to-java'))
  await writeTwice(broker.bootstrap, topic)
  const properties = [
    'headers.deserializer=org.apache.kafka.common.serialization.LongDeserializer',
    ...['timestamp', 'offset', 'headers', 'key'].map((what) => `print.${what}=true`),
  ]
  const server = ['--bootstrap-server', broker.bootstrap, '--topic', topic, '--partition', '0', '--offset', 'earliest']
  const consumed = await broker.java(
    'org.apache.kafka.tools.consumer.ConsoleConsumer',
    server.concat(
      ['--max-messages', String(twice.length), '--timeout-ms', '30000'],
      properties.flatMap((property) => ['--property', property]),
    ),
  )
  expect(consumed).toMatchObject({ exitCode: 0 })
  expect(consumed.stdout.trimEnd().split('\n')).toEqual(
    twice.map(({ timestamp, offset, sourceOffset, key, value }) => {
      const headers = sourceOffset < 0 ? 'NO_HEADERS' : `src:${sourceOffset}`
      return `CreateTime:${timestamp}\tOffset:${offset}\t${headers}\t${String(key)}\t${String(value)}`
    }),
  )
})

test("kafkajs's consumer reads our batches with headers and timestamps", async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('to-kafkajs'))
  await writeTwice(broker.bootstrap, topic)
  const consumer = kafkaClient(broker).consumer({ groupId: topic })
  const seen: unknown[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  try {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message: { offset, timestamp, key, value, headers } }) => {
        const source = headers?.['src'] as Buffer | undefined
        const sourceOffset = source === undefined ? -1 : Number(source.readBigInt64BE(0))
        seen.push({ offset: Number(offset), timestamp: Number(timestamp), key, value, sourceOffset })
        if (seen.length === twice.length) resolve()
      },
    })
    await promise
  } finally {
    await consumer.disconnect()
  }
  expect(seen).toEqual(twice)
})

test.each([
  ['a batch again', { baseSequence: 0 }, { error: 0, baseOffset: 0 }],
  ['an older epoch', { producerEpoch: 4, baseSequence: 1 }, { error: 47, baseOffset: -1 }],
  ['a gap', { baseSequence: 7 }, { error: 45, baseOffset: -1 }],
])('a broker recognises our producer when it is given %s', async (_, change, expected) => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('idempotent'))
  const builder = new RecordBatchBuilder(1000)
  append(builder, sample('key', 'value', Date.now()))
  const connection = await RawConnection.open(broker.bootstrap)
  // No InitProducerId: the broker takes any id that it has not seen
  const producer = {
    producerId: 1_000_000_000_000 + Math.floor(Math.random() * 1e9),
    producerEpoch: 5,
    baseSequence: 0,
  }
  expect(await connection.produce(topic, 0, builder.seal(producer))).toEqual({ error: 0, baseOffset: 0 })
  expect(await connection.produce(topic, 0, builder.seal({ ...producer, ...change }))).toEqual(expected)
  connection.close()
})
