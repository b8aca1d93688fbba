/** Makes the snapshots of a store thread from the settings, over the files of the map. */
import { loggerOf } from '../../log/index.ts'
import {
  type ChiralMap,
  discardSnapshot,
  type MemoryKeeper,
  openSnapshotDirectory,
  type SnapshotDirectory,
  SnapshotWriter,
} from '../../map/index.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import { snapshotPathOf, type StoreConfig } from '../../store-protocol/store-config.ts'
import type { Clients } from '../../topics/clients.ts'
import type { MemoryGuard } from '../memory/memory-guard.ts'
import type { Strangers } from '../strangers.ts'
import type { PartitionSnapshots } from './partition-snapshots.ts'
import { restoreWithin } from './restore-within.ts'
import { Snapshots } from './snapshots.ts'

const log = loggerOf('snapshot')

const secondsDefault = 60

/** Opens the directory of the store's snapshots; undefined if there is none, or it cannot be used. */
export function openDirectory(config: StoreConfig, keeper: MemoryKeeper): SnapshotDirectory | undefined {
  const path = snapshotPathOf(config)
  if (path === undefined) return undefined
  const opened = openSnapshotDirectory(path, undefined, keeper)
  if ('fault' in opened) {
    const found = opened.fault.message
    const message =
      'Opening snapshots in {path}: {found}. The store runs without; correct the directory or SNAPSHOT_DIR, and restart'
    log.error(message, { path, found })
    return undefined
  }
  return opened.directory
}

interface SnapshotParts {
  readonly config: StoreConfig
  readonly clients: Clients
  readonly stats: Stats
  readonly map: ChiralMap
  readonly memory: MemoryGuard
  readonly strangers: Strangers | undefined
  readonly flush: () => Promise<void>
  readonly failed: (error: unknown) => void
}

export function snapshotsOf(
  { config, clients, stats, map, memory, strangers, flush, failed }: SnapshotParts,
  directory: SnapshotDirectory,
): Snapshots {
  const writer = new SnapshotWriter(map, directory, { mayKeep: (bytes) => memory.room.addBuffer(bytes) })
  const files: PartitionSnapshots = {
    candidates: (partition) => directory.candidates(partition),
    restore: (candidate) => restoreWithin(memory.room, map, candidate),
    discard: (candidate) => discardSnapshot(map, candidate),
    own: () => writer.own(),
    take: (partition, facts) => writer.take(partition, facts),
    hurry: (isLasting) => writer.hurry(isLasting),
    get isOff() {
      return writer.isOff
    },
    close: () => writer.close(),
  }
  const { changelogTopic, keepHeaders = [], snapshotSeconds: seconds = secondsDefault } = config
  const client = clients.changelog
  const options = { files, client, changelogTopic, keepHeaders, strangers, seconds, stats, flush, failed }
  return new Snapshots(options, config.isSnapshotsLocked === true)
}
