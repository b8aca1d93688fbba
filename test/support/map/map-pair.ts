/** A map with readers in the same thread, and short words for both. */
import {
  ChiralMap,
  type ChiralMapOptions,
  ChiralMapReaders,
  type MapEntry,
  type Reader,
} from '../../../lib/map/index.ts'

export interface Fixture {
  readonly map: ChiralMap
  readonly readers: ChiralMapReaders
  put(partition: number, key: string, value: string | Uint8Array | null, offset?: number, timestamp?: number): void
  get(key: string): MapEntry | undefined
  /** The value as text. */
  text(key: string): string | undefined
  openAll(): Promise<void>
}

export const smallSegmentBytes = 4096
export const smallSlabBytes = 64 * 1024

export function createFixture(options: Partial<ChiralMapOptions> = {}): Fixture {
  const map = new ChiralMap({
    partitions: [0],
    partitionCount: 1,
    initialCapacity: 0,
    readersMax: 2,
    readerThreads: 1,
    segmentBytes: smallSegmentBytes,
    slabBytes: smallSlabBytes,
    announce: (message) => map.confirmed(0, readers.receive(message)),
    ...options,
  })
  const readers = new ChiralMapReaders(map.shared, 0)
  const reader = readers.acquire() as Reader
  const get = (key: string) => reader.get(Buffer.from(key))
  return {
    map,
    readers,
    put: (partition, key, value, offset = -1, timestamp = -1) =>
      putEntry(map, partition, key, value, offset, timestamp),
    get,
    text: (key) => {
      const found = get(key)
      return found && Buffer.from(found.value).toString()
    },
    openAll: async () => {
      for (const partition of options.partitions ?? [0]) map.open(partition)
      await map.publish()
    },
  }
}

export function putEntry(
  map: ChiralMap,
  partition: number,
  key: string | Uint8Array,
  value: string | Uint8Array | null,
  offset = -1,
  timestamp = -1,
): void {
  const keyBytes = Buffer.from(key)
  const valueBytes = value === null ? Buffer.alloc(0) : Buffer.from(value)
  // Something around both, to see that only they are taken.
  const source = Buffer.concat([Buffer.from('<'), keyBytes, Buffer.from('='), valueBytes, Buffer.from('>')])
  const valueStart = keyBytes.length + 2
  map.put(partition, source, 1, keyBytes.length, valueStart, value === null ? -1 : valueBytes.length, offset, timestamp)
}

/** Numbers below `end` in a sequence that the seed determines (mulberry32). */
export function createRandom(seed: number): (end: number) => number {
  let state = seed
  return (end) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * end)
  }
}
