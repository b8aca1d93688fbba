/** A topic full of believable records, written as fast as the broker takes them. */
import { parseBroker } from '../../lib/config.ts'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { parseProduceResponse, produceRequest } from '../../lib/kafka/produce.ts'
import { RecordBatchBuilder } from '../../lib/kafka/record-batch/index.ts'
import { murmur2 } from '../../lib/map/index.ts'

export interface Filling {
  topic: string
  partitions: number
  /** How many records, and over how many keys `user-<n>` they go round. */
  records: number
  keys: number
  /** Written into every value, so that a second filling changes it. */
  round: number
  valueBytes: number
}

const batchBytes = 1_000_000

export async function fillTopic(bootstrap: string, filling: Filling): Promise<void> {
  const { topic, partitions, records, keys, round, valueBytes } = filling
  const client = new KafkaClient({
    subject: 'filler',
    brokers: [parseBroker(bootstrap)],
    clientId: 'latchkey-bench',
    connectionTimeoutMs: 5_000,
    requestTimeoutMs: 30_000,
  })
  await client.metadata([topic])
  const builders = Array.from({ length: partitions }, () => new RecordBatchBuilder(batchBytes))
  const scratch = Buffer.alloc(1024 + valueBytes)
  for (let index = 0; index < records; index++) {
    const id = index % keys
    const keyLength = scratch.write(`user-${id}`, 0, 'latin1')
    const valueLength = scratch.write(valueOf(id, round, valueBytes), keyLength, 'latin1')
    const partition = (murmur2(scratch, 0, keyLength) & 0x7fffffff) % partitions
    const builder = builders[partition]!
    const append = () => builder.append(scratch, 0, keyLength, keyLength, valueLength, Date.now(), -1)
    if (append()) continue
    await write(client, topic, partition, builder)
    append()
  }
  for (const [partition, builder] of builders.entries())
    if (builder.count > 0) await write(client, topic, partition, builder)
  client.close()
}

function valueOf(id: number, round: number, bytes: number): string {
  const user = {
    id,
    round,
    name: `User number ${id}`,
    email: `user${id}@example.com`,
    city: 'Amsterdam',
    plan: id % 3 === 0 ? 'pro' : 'free',
  }
  return JSON.stringify({ ...user, tags: ['alpha', 'beta', 'gamma'], active: true }).padEnd(bytes, ' ')
}

async function write(
  client: KafkaClient,
  topic: string,
  partition: number,
  builder: RecordBatchBuilder,
): Promise<void> {
  const bytes = builder.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1 })
  const request = produceRequest(topic, [{ partition, bytes }], -1, 30_000)
  const [result] = parseProduceResponse(await client.send(client.leader(topic, partition)!, request, 60_000))
  if (result!.errorCode !== 0) throw new Error(`filling ${topic} partition ${partition}: error ${result!.errorCode}`)
  builder.reset()
}
