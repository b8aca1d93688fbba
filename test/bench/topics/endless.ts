/** Updates of a few keys without end, at as little cost as can be: batches are built once and sent again and again. */
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { RecordBatchBuilder } from '../../../lib/kafka/record-batch/index.ts'
import { murmur2 } from '../../../lib/map/index.ts'
import { endOf } from './ends.ts'
import { produce } from './filler.ts'
import { valueOf } from './values.ts'

const batchBytes = 500_000
/** Sizes differ from round to round, or what is overwritten would leave room for just what follows. */
const roundsBytes = [0, 40, 10, 80, 20]

interface Batch {
  partition: number
  bytes: Buffer
  records: number
}

export interface Updates {
  topic: string
  partitions: number
  keys: number
  valueBytes: number
  /** What follows the updates, and how far it may be behind. */
  follower: string
  leadMax: number
  /** As fast as can be where absent. */
  perSecond?: number
}

/** Writes until `isOver`. Returns how many records it wrote. */
export async function updateEndlessly(client: KafkaClient, updates: Updates, isOver: () => boolean): Promise<number> {
  const { topic, partitions, follower, leadMax, perSecond = Infinity } = updates
  const startedAt = performance.now()
  const rows = rowsOf(updates)
  const start = await endOf(client, follower, partitions)
  let written = 0
  let followed = 0
  for (let at = 0; !isOver(); at++) {
    const row = rows[at % rows.length]!
    await produce(client, topic, row)
    written += row.reduce((sum, { records }) => sum + records, 0)
    const earlyMs = startedAt + (written / perSecond) * 1000 - performance.now()
    if (earlyMs > 0) await Bun.sleep(earlyMs)
    while (written - followed > leadMax && !isOver()) {
      followed = (await endOf(client, follower, partitions)) - start
      if (written - followed > leadMax) await Bun.sleep(5)
    }
  }
  return written
}

/** Requests: a batch of each partition. */
function rowsOf({ partitions, keys, valueBytes }: Updates): Batch[][] {
  const batches: Batch[][] = Array.from({ length: partitions }, () => [])
  for (const [round, more] of roundsBytes.entries()) {
    const builders = Array.from({ length: partitions }, () => new RecordBatchBuilder(batchBytes))
    const close = (partition: number) => {
      const builder = builders[partition]!
      const bytes = Buffer.from(builder.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1 }))
      batches[partition]!.push({ partition, bytes, records: builder.count })
      builder.reset()
    }
    for (let id = 0; id < keys; id++) {
      const record = Buffer.from(`user-${id}${valueOf(id, round, valueBytes + more)}`)
      const keyLength = record.indexOf('{')
      const partition = (murmur2(record, 0, keyLength) & 0x7fffffff) % partitions
      const append = () =>
        builders[partition]!.append(record, 0, keyLength, keyLength, record.length - keyLength, Date.now(), -1)
      if (append()) continue
      close(partition)
      append()
    }
    for (const [partition, builder] of builders.entries()) if (builder.count > 0) close(partition)
  }
  const rows = Math.max(...batches.map((of) => of.length))
  return Array.from({ length: rows }, (_, at) => batches.flatMap((of) => of.slice(at, at + 1)))
}
