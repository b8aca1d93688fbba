/** What the bench needs of a contender: a store in a separate process that serves `GET /stores/<id>/<key>`. */
import type { ThreadTime } from './process-tree.ts'

export interface StoreSettings {
  /** Names the store, its group and its URLs. */
  id: string
  bootstrap: string
  source: string
  partitions: number
  /** Entries that it will hold, for those who must be given a heap. */
  entries: number
  /** Bytes of such a value. */
  valueBytes: number
  /** `fastest`: changes become visible as soon as the contender can make them. */
  flush: 'default' | 'fastest'
  /** Keeps a state from one start to the next, if the contender has one; Kafka Streams has its table in RocksDB then. */
  stateFolder?: string
  /** Further settings, of Latchkey alone. */
  environment?: Readonly<Record<string, string>>
}

export interface RunningStore {
  readonly url: string
  /** When the process was started, by performance.now(). */
  readonly startedAt: number
  /** Path of a key's lookup, without the key. */
  readonly lookupPath: string
  /** Milliseconds from the start of the process to the first answer to a lookup, found or not. */
  answers(): Promise<number>
  /** Of the process and all its children. */
  residentBytes(): number
  /** Processor time so far, of the process and its children, user and system. */
  processorMs(): number
  /** Of its first thread, which answers lookups where Latchkey has one HTTP thread. */
  firstThread(): ThreadTime
  /** How long it says that recovery took, without its start and stop; undefined where it does not say. */
  recoveryMs(): Promise<number | undefined>
  stop(): Promise<void>
  /** Ends it without any of its own steps, as kill -9 does. */
  kill(): Promise<void>
}

export interface Contender {
  readonly name: string
  /** What it is and how it is set, one line. */
  readonly terms: string
  /** Of ingest that is measured: those that are far slower get fewer records. */
  readonly ingestShare: number
  /** Recovers from a changelog that the bench wrote, for its own would take too long to write. */
  readonly givenChangelog: boolean
  /** Its changes become visible by flushes that can be set. */
  readonly flushes: boolean
  changelogOf(id: string): string
  start(settings: StoreSettings): Promise<RunningStore>
}

/** Builds what is needed. Rejects with MissingToolchain where that cannot be built here. */
export type Prepare = () => Promise<Contender>

export class MissingToolchain extends Error {}
