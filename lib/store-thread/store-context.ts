/** What the parts of a store thread share, once the topics are known. */
import { type Definition } from '../definition/index.ts'
import { type ChiralMap } from '../map/index.ts'
import { type Clients } from '../topics/clients.ts'
import { type Flusher } from './flusher.ts'
import { type FromThread } from '../store-protocol/messages.ts'
import { type Roles } from '../store-protocol/roles.ts'
import { type Stats } from '../store-protocol/stats.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'
import { type Topology } from '../topics/topology.ts'

export interface StoreContext {
  readonly config: StoreConfig
  /** Undefined where keys and values are not looked at. */
  readonly definition: Definition | undefined
  readonly clients: Clients
  readonly topology: Topology
  readonly roles: Roles
  readonly stats: Stats
  /** Without partitions where nothing is held in memory. */
  readonly map: ChiralMap
  readonly flusher: Flusher
  readonly post: (message: FromThread) => void
  /** Ends the store. */
  readonly failed: (error: unknown) => void
}
