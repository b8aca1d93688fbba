/** Makes what the parts of a store thread share, once the topics are known: roles, counters, map, flusher, changes, memory. */
import type { Definition } from '../definition/index.ts'
import { loggerOf } from '../log/index.ts'
import { ChiralMap } from '../map/index.ts'
import { changeBytesOf } from '../store-protocol/change-ring.ts'
import { pinnedReadersMax } from '../store-protocol/limits.ts'
import { setPartitionState } from '../store-protocol/partition-state.ts'
import { layoutOf, rolesOf } from '../store-protocol/roles.ts'
import { Stats } from '../store-protocol/stats.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { FromThread } from '../store-protocol/thread-messages.ts'
import { changelogIdOf, type Clients } from '../topics/clients.ts'
import type { Topology } from '../topics/topology.ts'
import { ChangelogLog } from './changes/changelog-log.ts'
import { Changes } from './changes/changes.ts'
import { Flusher } from './flusher.ts'
import { MemoryGuard } from './memory/memory-guard.ts'
import { KeptMemory } from './snapshots/kept-memory.ts'
import { openDirectory, snapshotsOf } from './snapshots/open-snapshots.ts'
import type { StoreContext } from './store-context.ts'
import { strangersOf } from './strangers.ts'

const log = loggerOf('store')

export interface OpenInput {
  readonly config: StoreConfig
  readonly definition: Definition | undefined
  readonly clients: Clients
  readonly topology: Topology
  readonly post: (message: FromThread) => void
  /** Called after every publish. */
  readonly published: () => void
  /** Ends the store with an error. */
  readonly failed: (error: unknown) => void
}

export function openContext({
  config,
  definition,
  clients,
  topology,
  post,
  published,
  failed,
}: OpenInput): StoreContext {
  const roles = rolesOf(config, topology.partitionCount)
  for (const notice of roles.notices) log.warn('{notice}', { notice })
  const partitions = [...roles.primaries, ...roles.replicas].toSorted((a, b) => a - b)
  const { initialCapacity, readerPoolSize, useProcessingOnly } = config
  const layout = layoutOf(config, topology.partitionCount)
  const stats = new Stats(layout, undefined, partitions)
  const keptMemory = new KeptMemory(post)
  const directory = openDirectory(config, keptMemory)
  const map = new ChiralMap({
    partitions: useProcessingOnly ? [] : layout,
    held: useProcessingOnly ? [] : partitions,
    partitionCount: topology.partitionCount,
    initialCapacity: Math.ceil(initialCapacity / Math.max(1, config.share?.count ?? 1)),
    readersMax: readerPoolSize + pinnedReadersMax,
    readerThreads: config.readerThreads ?? 1,
    announce: (message) => post({ type: 'map', message }),
    ...(directory && { seed: directory.seed }),
  })
  const flusher = new Flusher(map, stats, {
    count: config.autoFlushCount,
    seconds: config.autoFlushSeconds,
    whenIdle: config.autoFlushWhenIdle ?? false,
    published,
    failed,
  })
  const topicId = () => changelogIdOf(clients, config)
  const changes = new Changes(stats, {
    bytes: changeBytesOf(config),
    post,
    flush: () => flusher.flush(),
    topicId,
    log: new ChangelogLog(clients.changelog, config.changelogTopic, topicId),
    failed,
  })
  flusher.watchBy(changes)
  const { share: _, ...whole } = config
  const threads = Math.min(config.storeThreads ?? 1, layoutOf(whole, topology.partitionCount).length)
  const memory = new MemoryGuard({ config, map, stats, threads, flush: () => flusher.flush(), post, failed })
  const strangers = strangersOf(config, stats, topology.partitionCount)
  const parts = { config, clients, stats, map, memory, strangers, flush: () => flusher.flush(), failed }
  const snapshots = directory && snapshotsOf(parts, directory)
  for (const partition of partitions) setPartitionState(stats, partition, 'recovering')
  for (const partition of roles.replicas) stats.setGauge(partition, 'role', 1)
  return {
    config,
    definition,
    clients,
    topology,
    roles,
    stats,
    map,
    flusher,
    memory,
    changes,
    keptMemory,
    snapshots,
    strangers,
    post,
    failed,
  }
}
