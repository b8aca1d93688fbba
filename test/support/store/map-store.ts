/** A store without Kafka: its store threads are maps of this thread that a test writes. */
import type { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { ChiralMap } from '../../../lib/map/index.ts'
import { pinnedReadersMax } from '../../../lib/store-protocol/limits.ts'
import { setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { PartitionState } from '../../../lib/store-protocol/status.ts'
import type { ElasticConfig } from '../../../lib/store-protocol/store-config.ts'
import type { FromThread, ToThread } from '../../../lib/store-protocol/thread-messages.ts'
import { Changes } from '../../../lib/store-thread/changes/changes.ts'
import type { StorePortEvents } from '../../../lib/store/store-port.ts'
import { startStore, type Store } from '../../../lib/store/store.ts'
import { settingsFrom } from '../instances/settings.ts'
import { putEntry, smallSegmentBytes, smallSlabBytes } from '../map/map-pair.ts'
import { FakeChangelog } from './fake-changelog.ts'

export interface ThreadPartitions {
  readonly primaries?: readonly number[]
  readonly replicas?: readonly number[]
}

export interface MapThread {
  readonly map: ChiralMap
  readonly stats: Stats
  readonly changes: Changes
  post(message: FromThread): void
}

export interface MapStore {
  readonly store: Store
  /** In the order in which the store has started them. */
  readonly threads: MapThread[]
  put(partition: number, key: string, value: string | Uint8Array | null, offset?: number): void
  /** Publishes what a thread has, or what all have. */
  publish(thread?: number): Promise<void>
  readonly changelog: FakeChangelog
  /** Deletes a key without a change that followers learn of. */
  putUnrecorded(partition: number, key: string): void
  /** The changelog has acknowledged a record without naming its offset. */
  putWithoutOffset(partition: number, key: string, value: string, offset: number): void
  /** Reads records that another store has written, `max` at most. */
  replay(partition: number, max?: number): void
  /** The changelog of a partition is read again from its start. */
  beginAgain(partition: number): void
  setState(partition: number, state: PartitionState): void
  /** Lets the store take the partitions that its topic has got, in another thread that does not run yet. */
  grow(partitionCount: number, thread: ThreadPartitions): Promise<MapThread>
}

/** The smallest ring: changes are soon overwritten. */
const ringBytes = 65_536

const topics = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092', STORE_ID: 'orders' }

/**
 * @param threads the partitions of each; partitions that none has are not held
 * @param changelog what the maps have at the beginning
 * @param elastic of a store in a group
 */
export async function openMapStore(
  partitionCount: number,
  threads: readonly ThreadPartitions[],
  settings: Readonly<Record<string, string>> = {},
  changelog = new FakeChangelog(),
  elastic?: ElasticConfig,
): Promise<MapStore> {
  const opened: (MapThread & { partitions: ThreadPartitions })[] = []
  const coming = [...threads]
  /** Next changelog offsets that replay() reads. */
  const read = new Map<number, number>()
  const given = { ...topics, READER_POOL_SIZE: '2', STORE_THREADS: `${threads.length}`, ...settings }
  const config = { ...settingsFrom(given), ...(elastic && { elastic }) }
  const openMap = (events: StorePortEvents, partitions: ThreadPartitions): ChiralMap => {
    const held = [...(partitions.primaries ?? []), ...(partitions.replicas ?? [])]
    const map = new ChiralMap({
      partitions: held,
      partitionCount,
      initialCapacity: 0,
      readersMax: config.readerPoolSize + pinnedReadersMax,
      readerThreads: 1,
      segmentBytes: smallSegmentBytes,
      slabBytes: smallSlabBytes,
      announce: (message) => events.received({ type: 'map', message }),
    })
    const stats = new Stats(held)
    stats.set('changelogFellAt', changelog.fellAt)
    for (const partition of held) {
      setPartitionState(stats, partition, 'running')
      stats.setGauge(partition, 'role', partitions.replicas?.includes(partition) === true ? 1 : 0)
      map.open(partition)
    }
    const post = (message: FromThread) => events.received(message)
    const changes: Changes = new Changes(stats, {
      bytes: ringBytes,
      post,
      flush: () => publishThread(opened.find((one) => one.map === map)!),
      topicId: () => changelog.id,
      log: changelog,
      failed: (error) => {
        throw error
      },
    })
    opened.push({ map, stats, changes, partitions, post })
    return map
  }
  const access = {
    readerThread: 0,
    open(_: unknown, __: unknown, events: StorePortEvents) {
      const map = openMap(events, coming.shift() ?? {})
      const post = (message: ToThread) => {
        if (message.type === 'watch') {
          opened.find((one) => one.map === map)!.changes.watch(message.readerThread, message.watching)
        }
        if (message.type === 'read-keys') opened.find((one) => one.map === map)!.changes.keys.request(message)
        if (message.type === 'confirmed') map.confirmed(message.readerThread, message.version)
        if (message.type === 'flush') {
          const ended = () => events.received({ type: 'flushed', id: message.id, operations: 0 })
          void publishThread(opened.find((one) => one.map === map)!).then(ended)
        }
        if (message.type === 'close') queueMicrotask(() => events.received({ type: 'closed' }))
      }
      return { post, terminate: () => {} }
    },
  }
  const store = startStore(config, { level: 'error', structured: false }, undefined, access)
  const open = async (thread: (typeof opened)[number]) => {
    const { primaries = [], replicas = [] } = thread.partitions
    thread.post({
      type: 'opened',
      layout: [...primaries, ...replicas],
      primaries: [...primaries],
      replicas: [...replicas],
      partitionCount,
      recordBytesMax: 1_000_000,
      stats: thread.stats.buffer,
      map: thread.map.shared,
    })
    for (const partition of [...primaries, ...replicas]) {
      const { records, end } = changelog.log(partition)
      for (const { key, value, source } of records) putEntry(thread.map, partition, key, value, source)
      thread.changes.recorder.reached(partition, end)
      read.set(partition, end)
    }
    await publishThread(thread)
  }
  for (let index = 0; index < threads.length; index++) await open(opened[index]!)
  for (const { post } of opened) post({ type: 'state', state: 'running' })
  const holderOf = (partition: number) => {
    return opened.find(({ partitions: { primaries = [], replicas = [] } }) =>
      [...primaries, ...replicas].includes(partition),
    )!
  }
  /** @param at changelog offset, -1 if it is not known */
  const apply = (partition: number, key: string, value: string | Uint8Array | null, source: number, at: number) => {
    const { map, changes } = holderOf(partition)
    putEntry(map, partition, key, value, source)
    const data = Buffer.from(key)
    const record = { data, offset: 0, keyStart: 0, keyLength: data.length, valueLength: value === null ? -1 : 0 }
    changes.recorder.trailOf(partition, at)?.note(record as unknown as RecordBatchReader, source)
  }
  return {
    store,
    threads: opened,
    changelog,
    put: (partition, key, value, offset = -1) => {
      const at = changelog.append(partition, key, value, offset)
      apply(partition, key, value, offset, at)
      holderOf(partition).changes.recorder.reached(partition, at + 1)
    },
    putUnrecorded: (partition, key) => putEntry(holderOf(partition).map, partition, key, null, -1),
    putWithoutOffset: (partition, key, value, offset) => {
      changelog.append(partition, key, value, offset)
      apply(partition, key, value, offset, -1)
      holderOf(partition).changes.recorder.lost(partition)
    },
    replay: (partition, max = Number.POSITIVE_INFINITY) => {
      const { recorder } = holderOf(partition).changes
      const { records, end } = changelog.log(partition)
      const from = read.get(partition) ?? 0
      const wanted = records.filter(({ offset }) => offset >= from)
      const taken = wanted.slice(0, max)
      for (const { key, value, source, offset } of taken) apply(partition, key, value, source, offset)
      const next = taken.length < wanted.length ? (taken.at(-1)?.offset ?? from - 1) + 1 : end
      read.set(partition, next)
      recorder.reached(partition, next)
    },
    beginAgain: (partition) => {
      read.set(partition, 0)
      changelog.truncate(partition)
      holderOf(partition).changes.recorder.reached(partition, 0)
    },
    publish: async (thread) => {
      const threadsToPublish = thread === undefined ? opened : [opened[thread]!]
      await Promise.all(threadsToPublish.map(publishThread))
    },
    setState: (partition, state) => setPartitionState(holderOf(partition).stats, partition, state),
    grow: async (count, thread) => {
      partitionCount = count
      coming.push(thread)
      const noting = opened.map(({ post }) => post)
      for (const post of noting) post({ type: 'grown', partitionCount: count })
      const added = opened.at(-1)!
      await open(added)
      return added
    },
  }
}

async function publishThread({ map, changes }: MapThread): Promise<void> {
  changes.began()
  changes.ended(await map.publish())
}

/** A key of a partition, by Kafka's default partitioner; another one for each `number`. */
export function keyIn(store: Store, partition: number, number = 0): string {
  let left = number
  for (let i = 0; ; i++) {
    const key = `key ${i}`
    if (store.partitionOf(Buffer.from(key)) === partition && left-- === 0) return key
  }
}
