/** Topics full of believable records, written as fast as the broker takes them. */
import { parseBroker } from '../../../lib/config/index.ts'
import { KafkaClient } from '../../../lib/kafka/client.ts'
import { parseProduceResponse, produceRequest } from '../../../lib/kafka/protocol/produce.ts'
import { type BuilderOptions, RecordBatchBuilder } from '../../../lib/kafka/record-batch/index.ts'
import { murmur2 } from '../../../lib/map/index.ts'
import { valueOf } from './values.ts'

export interface Filling {
  topic: string
  partitions: number
  /** How many records, and over how many keys `user-<n>` they go round. */
  records: number
  keys: number
  /** Written into every value, so that a second filling changes it. */
  round: number
  valueBytes: number
  /** Digits of `<n>` in a key, with zeros before it; as many as it has where absent. */
  keyDigits?: number | undefined
  /** Of the record batches; none where absent. */
  compression?: BuilderOptions['compression']
}

const batchBytes = 1_000_000
const inFlightMax = 8
const notLeader = 6
const triesMax = 100
const retryMs = 50
const requestTimeoutMs = 60_000
/** More keys than records have bytes for would be no keys. */
const keyBytesMax = 64

export function benchClient(bootstrap: string): KafkaClient {
  return new KafkaClient({
    subject: 'bench',
    brokers: [parseBroker(bootstrap)],
    clientId: 'latchkey-bench',
    connectionTimeoutMs: 5_000,
    requestTimeoutMs: 30_000,
  })
}

/** Appends `records` records; resolves once all are acknowledged by all in-sync replicas. */
export async function fillTopic(bootstrap: string, filling: Filling): Promise<void> {
  const client = benchClient(bootstrap)
  await client.metadata([filling.topic])
  try {
    await new Filler(client, filling).run()
  } finally {
    client.close()
  }
}

class Filler {
  readonly #client: KafkaClient
  readonly #filling: Filling
  readonly #open: RecordBatchBuilder[]
  readonly #spare: RecordBatchBuilder[] = []
  readonly #inFlight = new Set<Promise<void>>()

  constructor(client: KafkaClient, filling: Filling) {
    this.#client = client
    this.#filling = filling
    this.#open = Array.from({ length: filling.partitions }, () => this.#builder())
  }

  async run(): Promise<void> {
    const { partitions, records, keys, round, valueBytes, keyDigits = 0 } = this.#filling
    const scratch = Buffer.alloc(keyBytesMax + Math.max(valueBytes, 1024))
    let timestamp = Date.now()
    for (let index = 0; index < records; index++) {
      const id = index % keys
      const keyLength = scratch.write(`user-${String(id).padStart(keyDigits, '0')}`, 0, 'latin1')
      const valueLength = scratch.write(valueOf(id, round, valueBytes), keyLength, 'latin1')
      const partition = (murmur2(scratch, 0, keyLength) & 0x7fffffff) % partitions
      while (!this.#open[partition]!.append(scratch, 0, keyLength, keyLength, valueLength, timestamp, -1)) {
        await this.#send(partition)
        timestamp = Date.now()
      }
    }
    for (const partition of this.#open.keys()) await this.#send(partition)
    await Promise.all(this.#inFlight)
  }

  #builder(): RecordBatchBuilder {
    const { compression } = this.#filling
    return compression === undefined
      ? new RecordBatchBuilder(batchBytes)
      : new RecordBatchBuilder(batchBytes, { recordsMax: Number.POSITIVE_INFINITY, compression, level: null })
  }

  /** Sends a partition's batch without waiting for its answer, but for the oldest where too many are under way. */
  async #send(partition: number): Promise<void> {
    const builder = this.#open[partition]!
    if (builder.count === 0) return
    this.#open[partition] = this.#spare.pop() ?? this.#builder()
    const sent = this.#write(partition, builder).then(() => {
      builder.reset()
      this.#spare.push(builder)
      this.#inFlight.delete(sent)
    })
    this.#inFlight.add(sent)
    while (this.#inFlight.size >= inFlightMax) await Promise.race(this.#inFlight)
  }

  async #write(partition: number, builder: RecordBatchBuilder): Promise<void> {
    const { topic } = this.#filling
    await produce(this.#client, topic, [
      { partition, bytes: builder.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1 }) },
    ])
  }
}

/**
 * One Produce request to the leader of the first batch's partition: there is one broker. A loaded one may say of a topic that it has just made that it does
 * not lead it yet, and is asked again.
 */
export async function produce(
  client: KafkaClient,
  topic: string,
  batches: readonly { partition: number; bytes: Buffer }[],
): Promise<void> {
  const leader = client.leader(topic, batches[0]!.partition)!
  let left = batches
  for (let tries = 1; left.length > 0; tries++) {
    const request = produceRequest(topic, left, -1, 30_000)
    const refused = new Map<number, number>()
    for (const { partition, errorCode } of parseProduceResponse(await client.send(leader, request, requestTimeoutMs))) {
      if (errorCode !== 0) refused.set(partition, errorCode)
    }
    left = left.filter(({ partition }) => refused.has(partition))
    for (const [partition, errorCode] of refused) {
      if (errorCode !== notLeader || tries === triesMax) {
        throw new Error(`filling ${topic} partition ${partition}: ${errorCode}`)
      }
    }
    if (left.length > 0) await Bun.sleep(retryMs)
  }
}
