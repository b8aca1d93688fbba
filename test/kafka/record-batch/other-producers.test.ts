import { expect, test } from 'bun:test'
import { CompressionTypes } from 'kafkajs'
import { compressionNames, RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../../support/kafka/index.ts'
import { RawConnection } from '../../support/kafka/record-batch/raw-connection.ts'
import { currentRecord, type ReadRecord } from '../../support/kafka/record-batch/samples.ts'

interface Log {
  records: ReadRecord[]
  compressions: Set<string>
  /** Types of the markers. */
  markers: number[]
}

/** All that lies in partition 0 of a topic up to `end`, read as the broker sent it. */
async function readLog(bootstrap: string, topic: string, end: number): Promise<Log> {
  const log: Log = { records: [], compressions: new Set(), markers: [] }
  const reader = new RecordBatchReader()
  const connection = await RawConnection.open(bootstrap)
  try {
    await connection.fetchUntil(topic, end, (bytes) => {
      reader.open(bytes, 0, bytes.length)
      while (reader.nextBatch()) {
        reader.openRecords({ checkCrc: true })
        if (reader.isControl) log.markers.push(reader.controlType())
        else log.compressions.add(compressionNames[reader.compression])
        while (reader.nextRecord()) {
          expect(reader.fault).toBe('')
          if (!reader.isControl) log.records.push(currentRecord(reader))
        }
      }
      return reader.nextOffset
    })
  } finally {
    connection.close()
  }
  return log
}

const count = 3000
const valueOf = (id: number): string =>
  JSON.stringify({ id, city: ['Berlin', 'Oslo', 'Turin'][id % 3], note: 'n'.repeat(id % 90) })

// Java's own producer: Snappy comes in xerial framing, LZ4 in independent blocks, Zstandard from zstd-jni
for (const compression of compressionNames) {
  test(`records of Kafka's console producer are read when compressed with ${compression}`, async () => {
    const broker = await sharedKafka()
    const topic = await createTopic(broker, uniqueName(`java-${compression}`))
    const lines = Array.from(
      { length: count },
      (_, id) => `h1:${id},h2:x\tkey ${id}\t${id % 10 ? valueOf(id) : 'NULL'}\n`,
    )
    const started = Date.now()
    const server = ['--bootstrap-server', broker.bootstrap, '--topic', topic]
    const produced = await broker.java(
      'org.apache.kafka.tools.ConsoleProducer',
      server.concat(
        ['--compression-codec', compression, '--max-partition-memory-bytes', '200000'],
        ['parse.key=true', 'parse.headers=true', 'null.marker=NULL'].flatMap((property) => ['--property', property]),
      ),
      lines.join(''),
    )
    expect(produced).toMatchObject({ exitCode: 0 })
    const log = await readLog(broker.bootstrap, topic, count)
    expect([...log.compressions]).toEqual([compression])
    expect(log.records.map(({ offset, key, value }) => [offset, key?.toString(), value?.toString()])).toEqual(
      Array.from({ length: count }, (_, id) => [id, `key ${id}`, id % 10 ? valueOf(id) : undefined]),
    )
    for (const { timestamp } of log.records) expect(timestamp).toBeWithin(started - 60_000, Date.now() + 60_000)
  })
}

for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
  test(`records of kafkajs are read when compressed with ${compressionNames[compression]}`, async () => {
    const broker = await sharedKafka()
    const topic = await createTopic(broker, uniqueName('kafkajs'))
    const producer = kafkaClient(broker).producer()
    await producer.connect()
    const source = Buffer.alloc(8)
    source.writeBigInt64BE(987_654_321n)
    const messages = Array.from({ length: 500 }, (_, id) => ({
      key: id % 7 ? `key ${id}` : null,
      value: id % 10 ? valueOf(id) : null,
      timestamp: String(1_700_000_000_000 - id * 1000),
      headers: id % 2 ? { src: source, other: 'x' } : {},
    }))
    await producer.send({ topic, compression, messages })
    await producer.disconnect()
    const log = await readLog(broker.bootstrap, topic, messages.length)
    expect([...log.compressions]).toEqual([compressionNames[compression]])
    expect(log.records).toEqual(
      messages.map(({ key, value, timestamp }, offset) => ({
        offset,
        key: key === null ? null : Buffer.from(key),
        value: value === null ? null : Buffer.from(value),
        timestamp: Number(timestamp),
        sourceOffset: offset % 2 ? 987_654_321 : -1,
      })),
    )
  })
}

test('markers show abort and commit when a producer has ended transactions', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('transactions'))
  const producer = kafkaClient(broker).producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  for (const end of ['abort', 'commit'] as const) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ key: end, value: 'value' }] })
    await transaction[end]()
  }
  await producer.disconnect()
  const log = await readLog(broker.bootstrap, topic, 4)
  expect(log.markers).toEqual([0, 1])
  expect(log.records.map(({ offset, key }) => [offset, key?.toString()])).toEqual([
    [0, 'abort'],
    [2, 'commit'],
  ])
})
