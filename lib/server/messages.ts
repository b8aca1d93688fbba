/** What the main thread and a further HTTP thread say to each other. */
import { type TlsPair } from '../config/tls-pair.ts'
import { type PlainError, type FromThread, type StoreLogging, type ToThread } from '../store-protocol/messages.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'

export interface HttpThreadStart {
  type: 'start'
  /** Of the threads that read the store's memory; the main thread is 0. */
  readerThread: number
  config: StoreConfig
  logging: StoreLogging
  bind: string
  port: number
  token: string | undefined
  hosts: readonly string[] | undefined
  connectionsMax: number
  tls: TlsPair | undefined
  /** For build_info. */
  version: string
  /** Of all threads' counts of lookups, by readerThread. */
  lookupCounts: SharedArrayBuffer[]
}

export type ToHttpThread =
  | HttpThreadStart
  /** Of a store thread, by the order in which they were opened. */
  | { type: 'store'; thread: number; message: FromThread }
  | { type: 'renew-tls'; pair: TlsPair }
  | { type: 'stop'; drainTimeoutMs: number }

export type FromHttpThread =
  /** It listens, and knows the store: what the store threads have told so far may come. */
  | { type: 'listening' }
  | { type: 'store'; thread: number; message: ToThread }
  | { type: 'failed'; error: PlainError }
  | { type: 'stopped' }
