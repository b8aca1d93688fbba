/**
 * The obvious alternative, as one would write it in an afternoon: kafkajs consumes the topic into a Map, a producer writes each batch to a
 * changelog before it counts as consumed, Bun.serve answers. Arguments: bootstrap, id, source, changelog, port.
 */
import { type Consumer, Kafka, logLevel } from 'kafkajs'

const [bootstrap = '', id = '', source = '', changelog = '', port = ''] = process.argv.slice(2)
const kafka = new Kafka({ clientId: id, brokers: [bootstrap], logLevel: logLevel.ERROR })
const entries = new Map<string, Buffer>()

function put(key: Buffer | null, value: Buffer | null): void {
  if (key === null) return
  // A copy: what arrives is a view of a whole response.
  if (value === null) entries.delete(key.toString())
  else entries.set(key.toString(), Buffer.from(value))
}

/** Reads the changelog to the ends that it has now. */
async function recover(): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(changelog)
  await admin.disconnect()
  const open = new Map(ends.filter(({ high, low }) => high !== low).map(({ partition, high }) => [partition, high]))
  if (open.size === 0) return
  const consumer = kafka.consumer({ groupId: `${id}-changelog-${Date.now()}` })
  const startedAt = performance.now()
  let records = 0
  await consume(consumer, changelog, true, async (partition, messages, last) => {
    for (const { key, value } of messages) put(key, value)
    records += messages.length
    if (BigInt(last) + 1n >= BigInt(open.get(partition) ?? '0')) open.delete(partition)
    return open.size > 0
  })
  console.log(`recovered ${records} records in ${performance.now() - startedAt} ms`)
  await consumer.disconnect()
}

type Messages = readonly { key: Buffer | null; value: Buffer | null }[]
type Take = (partition: number, messages: Messages, lastOffset: string) => Promise<boolean>

/** Resolves once `take` has returned false. */
async function consume(consumer: Consumer, topic: string, fromBeginning: boolean, take: Take): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning })
  await consumer.run({
    partitionsConsumedConcurrently: 4,
    eachBatchAutoResolve: true,
    eachBatch: async ({ batch }) => {
      if (!(await take(batch.partition, batch.messages, batch.lastOffset()))) resolve()
    },
  })
  await promise
}

await recover()

const prefix = `/stores/${id}/`
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  fetch(request) {
    const at = request.url.indexOf(prefix)
    const value = at < 0 ? undefined : entries.get(decodeURIComponent(request.url.slice(at + prefix.length)))
    if (value === undefined) return new Response('not found', { status: 404 })
    return new Response(value, { headers: { 'Content-Type': 'application/json' } })
  },
})

const producer = kafka.producer()
await producer.connect()
const ingest = kafka.consumer({ groupId: id })
process.on('SIGTERM', () => void ingest.disconnect().finally(() => process.exit()))
await consume(ingest, source, true, async (partition, messages) => {
  await producer.send({
    topic: changelog,
    acks: -1,
    messages: messages.map(({ key, value }) => ({ key, value, partition })),
  })
  for (const { key, value } of messages) put(key, value)
  return true
})
