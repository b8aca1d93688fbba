/** Messages between the main thread and the store thread. All other shared state is in shared memory. */
import type { ErrorCode } from '../errors.ts'
import type { LogLevel, LogRecord } from '../log/index.ts'
import type { ChiralMapShared, MapMessage, ShownState } from '../map/index.ts'
import type { SharedChangeRing } from './change-ring.ts'
import type { KeysFound } from './changed-keys.ts'
import type { WantedRoles } from './roles.ts'
import type { SkippedRecord } from './skipped.ts'
import type { PartitionTrouble, StoreState } from './status.ts'
import type { StoreConfig } from './store-config.ts'

export interface PlainError {
  code: ErrorCode
  message: string
}

export interface StoreLogging {
  level: LogLevel
  structured: boolean
  /** True on a terminal that may show a progress bar. */
  clearsLine?: boolean
  /** The thread passes its log records to the main thread, which logs them by its own configuration. */
  isPassedOn?: boolean
}

export interface Troubles {
  trouble: string | null
  /** The same problems, as far as they concern single partitions. */
  partitions: readonly PartitionTrouble[]
}

/** What a reading thread wants to learn of: nothing, each publish, or each publish and the keys that it changes. */
export type Watching = 'nothing' | 'positions' | 'keys'

/**
 * Asks for the keys that the changelog changes from an offset on. If both offsets are equal, it asks only whether
 * everything below is visible.
 */
export interface KeysRequest {
  readonly readerThread: number
  readonly partition: number
  readonly from: number
  readonly to: number
}

export type ToThread =
  | { type: 'start'; config: StoreConfig; logging: StoreLogging }
  /** A reading thread has received all map messages up to this version. */
  | { type: 'confirmed'; readerThread: number; version: number }
  | { type: 'flush'; id: number }
  /**
   * Keys and values in the format of WriteFrame, to be written to a partition's changelog.
   * @member timestamp milliseconds since the epoch
   */
  | { type: 'write'; partition: number; timestamp: number; records: Uint8Array<ArrayBuffer> }
  | { type: 'watch'; readerThread: number; watching: Watching }
  /** No other process uses the store's snapshots any more. */
  | { type: 'snapshots-locked' }
  /** Only while the thread watches keys. */
  | ({ type: 'read-keys' } & KeysRequest)
  /** Answers `keep`. */
  | { type: 'kept'; id: number; isKept: boolean }
  /** Answers `check`. */
  | { type: 'checked'; id: number; state: ShownState }
  | { type: 'log-level'; level: LogLevel }
  /** The roles that partitions are to have from now on. */
  | ({ type: 'roles' } & WantedRoles)
  | { type: 'close' }

/** Of what a thread has asked of memory that shows files. */
export type KeptAnswer = ToThread & { type: 'kept' | 'checked' }

export type FromThread =
  /** The memory is laid out: partitions are known. */
  | {
      type: 'opened'
      /** Partitions that the thread may hold. */
      layout: number[]
      primaries: number[]
      replicas: number[]
      partitionCount: number
      /** Maximum size of a record batch that the changelog accepts, in bytes. */
      recordBytesMax: number
      stats: SharedArrayBuffer
      map: ChiralMapShared
    }
  | { type: 'map'; message: MapMessage }
  /** Asks for the buffer to be kept until `release`, also if the thread ends before. */
  | { type: 'keep'; id: number; buffer: SharedArrayBuffer }
  /** Asks whether a part of a kept buffer, which shows a file, has the content with this checksum. */
  | { type: 'check'; id: number; kept: number; byteOffset: number; length: number; sum: string }
  | { type: 'release'; id: number }
  /** The roles of partitions have changed. */
  | { type: 'roles'; primaries: number[]; replicas: number[] }
  /** A reading thread gets `published` from now on. What was visible before, it has to look up itself. */
  | {
      type: 'watching'
      readerThread: number
      /**
       * With `keys`: the ring, which has all changes from position `at` on.
       * @member positions changelog positions that were visible then at least, in the order of the ring's partitions
       * @member inexact partitions of which more was visible
       */
      following?: { ring: SharedChangeRing; at: number; positions: number[]; inexact: number[]; topicId: string }
    }
  /** A publish has ended. Only for the threads that watch. */
  | { type: 'published'; readerThreads: readonly number[] }
  /** Answers a request for keys from the offset `from` on. A part may begin before it. */
  | { type: 'keys'; readerThread: number; partition: number; from: number; found: KeysFound }
  | { type: 'state'; state: StoreState }
  /** All partitions have reached the end that the source had at start. */
  | { type: 'caught-up' }
  /** The topic has more partitions than when the thread started. */
  | { type: 'grown'; partitionCount: number }
  /** Current problems of the Kafka clients. */
  | ({ type: 'trouble' } & Troubles)
  | { type: 'fenced'; partition: number; reason: string }
  /** A record cannot be stored, and ON_BAD_RECORD=stop. */
  | { type: 'halted'; partition: number; reason: string }
  /** The last records that could not be stored, the latest first. */
  | { type: 'bad-records'; records: readonly SkippedRecord[] }
  /** Another writer writes to the changelog. */
  | { type: 'foreign'; partition: number; reason: string }
  /** The changelog has lost records, which are written again; until `repaired`. */
  | { type: 'repairing'; partition: number; reason: string }
  | { type: 'repaired'; partition: number }
  /** The source is read again; until `rebuilt`. */
  | { type: 'rebuilding'; partition: number; reason: string }
  | { type: 'rebuilt'; partition: number }
  /** Another writer keeps writing to the changelog, which is not repaired any more. */
  | { type: 'contested'; partition: number; reason: string }
  /** Memory is full, and nothing more is read into it; without a reason, there is room again. */
  | { type: 'full'; reason?: string }
  /** A key of this store, for the first lookup to try. */
  | { type: 'sample'; key: Uint8Array }
  | { type: 'flushed'; id: number; operations: number }
  /** The oldest `count` writes to a partition are acknowledged by the changelog, and in memory. */
  | { type: 'written'; partition: number; count: number }
  /** The oldest `count` writes to a partition will not be written. */
  | { type: 'write-refused'; partition: number; count: number; error: PlainError }
  | { type: 'flush-failed'; id: number; error: PlainError }
  /** To be logged by the main thread. */
  | { type: 'log'; record: LogRecord }
  | { type: 'failed'; error: PlainError }
  | { type: 'closed' }
