/** `bun test/bench/library.ts`: what a store gives to a program in the same process, against a real broker. Rounds as an argument, 3 by default. */
import { type KeyValueStore, openStore } from '../../lib/index.ts'
import { closeKafka, createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'

const keys = 100_000
const value = new Uint8Array(170).fill(0x41)

type Bytes = KeyValueStore<string | Uint8Array, Uint8Array>

async function perSecond(count: number, run: () => Promise<void>): Promise<string> {
  const start = performance.now()
  await run()
  return `${Math.round(count / ((performance.now() - start) / 1000)).toLocaleString('en')}/s`
}

/** All of a chunk at once, then the next. */
async function putInChunks(store: Bytes, count: number, chunk: number): Promise<void> {
  for (let first = 0; first < count; first += chunk) {
    const numbers = Array.from({ length: chunk }, (_, index) => (first + index) % keys)
    await Promise.all(numbers.map((number) => store.put(`user-${number}`, value)))
  }
}

/** Each writer waits for its write before the next. */
async function putByWriters(store: Bytes, count: number, writers: number): Promise<void> {
  let next = 0
  const write = async () => {
    while (next < count) await store.put(`user-${next++ % keys}`, value)
  }
  await Promise.all(Array.from({ length: writers }, write))
}

async function read(count: number, get: (key: string) => unknown): Promise<void> {
  for (let index = 0; index < count; index++) {
    const found = get(`user-${(index * 7_919) % keys}`)
    if (found instanceof Promise) await found
  }
}

const rounds = Number(process.argv[2] ?? 3)
const broker = await sharedKafka()
const sourceTopic = uniqueName('bench')
await createTopic(broker, sourceTopic, { partitions: 4 })
const store = openStore({ sourceTopic, kafkaBrokers: broker.bootstrap })
await store.ready
using reader = store.reader()
for (let round = 0; round < rounds; round++) {
  console.log('put, 20,000 at a time ', await perSecond(500_000, () => putInChunks(store, 500_000, 20_000)))
  console.log('put, 64 writers       ', await perSecond(100_000, () => putByWriters(store, 100_000, 64)))
  console.log('put, 1 writer         ', await perSecond(1_000, () => putByWriters(store, 1_000, 1)))
  await store.flush()
  console.log('reader.get            ', await perSecond(500_000, () => read(500_000, (key) => reader.get(key))))
  console.log('await get             ', await perSecond(500_000, () => read(500_000, (key) => store.get(key))))
}
await store.close()
await closeKafka()
