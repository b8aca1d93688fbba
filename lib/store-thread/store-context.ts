/** State that the parts of a store thread share. Exists once the topics are known. */
import type { Definition } from '../definition/index.ts'
import type { ChiralMap } from '../map/index.ts'
import type { Roles } from '../store-protocol/roles.ts'
import type { Stats } from '../store-protocol/stats.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { FromThread } from '../store-protocol/thread-messages.ts'
import type { Clients } from '../topics/clients.ts'
import type { Topology } from '../topics/topology.ts'
import type { Changes } from './changes/changes.ts'
import type { Flusher } from './flusher.ts'
import type { MemoryGuard } from './memory/memory-guard.ts'
import type { KeptMemory } from './snapshots/kept-memory.ts'
import type { Snapshots } from './snapshots/snapshots.ts'
import type { Strangers } from './strangers.ts'

export interface StoreContext {
  readonly config: StoreConfig
  /** Undefined if keys and values are not decoded. */
  readonly definition: Definition | undefined
  readonly clients: Clients
  readonly topology: Topology
  readonly roles: Roles
  readonly stats: Stats
  /** Has no partitions with USE_PROCESSING_ONLY. */
  readonly map: ChiralMap
  readonly flusher: Flusher
  readonly memory: MemoryGuard
  readonly changes: Changes
  readonly keptMemory: KeptMemory
  /** Undefined without SNAPSHOT_DIR. */
  readonly snapshots: Snapshots | undefined
  /** Undefined where partitions do not come and go. */
  readonly strangers: Strangers | undefined
  readonly post: (message: FromThread) => void
  /** Ends the store with an error. */
  readonly failed: (error: unknown) => void
}
