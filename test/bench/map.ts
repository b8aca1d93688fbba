/** Figures of the map on one core: `bun test/bench/map.ts [entries]`. Keys of 11 bytes, values of 170. */
import { ChiralMap, ChiralMapReaders, type Reader, readTogether, touchBlock } from '../../lib/map/index.ts'
import { halfSipHash13 } from '../../lib/map/memory/half-sip-hash.ts'
import { murmur2 } from '../../lib/map/memory/murmur2.ts'

const entries = Number(process.argv[2] ?? 1_000_000)
const keyLength = 11
const valueLength = 170
const recordBytes = 200
const recordsPerBuffer = 20_000
const partitions = [0, 1, 2, 3]

const source = Buffer.alloc(recordBytes * recordsPerBuffer, 'value ')

function writeKey(target: Uint8Array, at: number, number: number): void {
  let rest = number
  for (let i = keyLength - 1; i >= 0; i--) {
    target[at + i] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}

function report(what: string, count: number, ms: number): void {
  console.log(`${what.padEnd(52)} ${Math.round(count / ms) * 1000} /s`)
}

function createMap(initialCapacity: number): { map: ChiralMap; readers: ChiralMapReaders } {
  const map = new ChiralMap({
    partitions,
    partitionCount: partitions.length,
    initialCapacity,
    readersMax: 8,
    readerThreads: 1,
    announce: (message) => map.confirmed(0, readers.receive(message)),
  })
  const readers = new ChiralMapReaders(map.shared, 0)
  return { map, readers }
}

/** Writing the keys is not timed: in a real run they arrive in a response. */
async function putAll(map: ChiralMap, numbers: (i: number) => number, flushEvery: number): Promise<number> {
  let ms = 0
  for (let first = 0; first < entries; first += recordsPerBuffer) {
    const count = Math.min(recordsPerBuffer, entries - first)
    const homes = new Uint8Array(count)
    for (let i = 0; i < count; i++) {
      writeKey(source, i * recordBytes, numbers(first + i))
      homes[i] = (murmur2(source, i * recordBytes, keyLength) & 0x7fffffff) % partitions.length
    }
    const before = performance.now()
    for (let i = 0; i < count; i++) {
      const at = i * recordBytes
      map.put(homes[i]!, source, at, keyLength, at + keyLength + 2, valueLength, first + i, 1_700_000_000_000)
    }
    if (flushEvery > 0 && map.oplogLength >= flushEvery) await map.publish()
    ms += performance.now() - before
  }
  const before = performance.now()
  if (flushEvery > 0) await map.publish()
  return ms + performance.now() - before
}

const random = (() => {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 0) / 2 ** 32) * entries)
  }
})()

function lookups(reader: Reader, offset: number): number {
  const count = 1_000_000
  const keys = Array.from({ length: 4096 }, () => new Uint8Array(keyLength))
  let ms = 0
  let found = 0
  for (let done = 0; done < count; done += keys.length) {
    for (const key of keys) writeKey(key, 0, random() + offset)
    const before = performance.now()
    for (const key of keys) if (reader.get(key) !== undefined) found++
    ms += performance.now() - before
  }
  if (found !== (offset === 0 ? Math.ceil(count / keys.length) * keys.length : 0)) throw new Error(`found ${found}`)
  return count / ms
}

function lookupsOfMany(reader: Reader): number {
  const count = 1_000_000
  const keysAtOnce = 100
  const keys = Array.from({ length: keysAtOnce }, () => new Uint8Array(keyLength))
  const owners = keys.map(() => 0)
  let ms = 0
  for (let done = 0; done < count; done += keysAtOnce) {
    for (const key of keys) writeKey(key, 0, random())
    const before = performance.now()
    const found = readTogether([reader], () => {
      const results: unknown[] = []
      for (let from = 0; from < keysAtOnce; from += touchBlock) {
        const to = Math.min(from + touchBlock, keysAtOnce)
        reader.touch(keys, from, to, owners, 0)
        for (let i = from; i < to; i++) results.push(reader.find(keys[i]!, Number.POSITIVE_INFINITY))
      }
      return results
    })
    ms += performance.now() - before
    if (found.includes(undefined)) throw new Error('a key was not found')
  }
  return count / ms
}

/** Entries per millisecond. */
function walk(reader: Reader, withValues: boolean): number {
  const before = performance.now()
  let count = 0
  for (const partition of partitions) {
    let from: number | undefined = 0
    while (from !== undefined) {
      const hash: number = from
      const chunk = readTogether([reader], () => reader.readChunk(partition, hash, { limit: 1000, withValues }))
      count += chunk.entries.length
      from = chunk.next
    }
  }
  return count / (performance.now() - before)
}

function hashes(): void {
  const count = 5_000_000
  let sum = 0
  for (const [name, hash] of [
    ['HalfSipHash-1-3', (at: number) => halfSipHash13(1, 2, source, at, keyLength)],
    ['murmur2', (at: number) => murmur2(source, at, keyLength)],
  ] as const) {
    const before = performance.now()
    for (let i = 0; i < count; i++) sum ^= hash((i * 16) & 0xffff)
    console.log(
      `${name} of ${keyLength} bytes: ${(((performance.now() - before) * 1e6) / count).toFixed(1)} ns (${sum & 1})`,
    )
  }
}

for (const capacity of [entries, 0]) {
  const { map } = createMap(capacity)
  report(`bulk put, initial capacity ${capacity}`, entries, await putAll(map, (i) => i, 0))
  const before = performance.now()
  for (const partition of partitions) map.open(partition)
  await map.publish()
  console.log(`  open and first publish: ${(performance.now() - before).toFixed(0)} ms`)
}

{
  const { map, readers } = createMap(entries)
  for (const partition of partitions) map.open(partition)
  await map.publish()
  const rssBefore = process.memoryUsage().rss
  report('live put of new keys, publish every 100,000', entries, await putAll(map, (i) => i, 100_000))
  console.log(`  resident bytes an entry: ${Math.round((process.memoryUsage().rss - rssBefore) / entries)}`)
  report('live overwrites in order, publish every 100,000', entries, await putAll(map, (i) => i, 100_000))
  report('live overwrites at random, publish every 100,000', entries, await putAll(map, random, 100_000))
  report('live overwrites at random, publish every 20,000', entries, await putAll(map, random, 20_000))
  const stats = partitions.map((partition) => map.stats(partition))
  const total = stats.reduce((sum, { totalBytes }) => sum + totalBytes, 0)
  const live = stats.reduce((sum, { liveBytes }) => sum + liveBytes, 0)
  console.log(
    `  log: ${(total / live).toFixed(2)} x live bytes; resident ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`,
  )
  const reader = readers.acquire() as Reader
  lookups(reader, 0)
  report('lookups at random, hits', lookups(reader, 0) * 1000, 1000)
  report('lookups at random, misses', lookups(reader, entries) * 1000, 1000)
  report('lookups at random, hits, 100 keys at a time', lookupsOfMany(reader) * 1000, 1000)
  report('walk of all entries', walk(reader, true) * 1000, 1000)
  report('walk of all entries without values', walk(reader, false) * 1000, 1000)
  let keys = 0
  const before = performance.now()
  for (const _ of map.keys(0)) keys++
  report('keys()', keys, performance.now() - before)
}
hashes()
