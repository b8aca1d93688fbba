import type { ChiralMapShared, MapMessage } from '../../../../lib/map/index.ts'
import type { Shared } from './history.ts'

/**
 * Mistakes planted in the map or around it, each of which the checker has to find: not waiting for readers, publishing without
 * confirmation of new memory, calling published what is not yet, and taking a removed partition from one side only.
 */
export type Defect = 'none' | 'does not wait' | 'does not ask' | 'promises early' | 'takes one side'

export interface WriterStart {
  readonly kind: 'start'
  readonly shared: Shared
  readonly readerThreads: number
  readonly publishes: number
  readonly defect: Defect
}

export interface Confirmed {
  readonly kind: 'confirmed'
  readonly readerThread: number
  readonly version: number
}

export type ToWriter = WriterStart | Confirmed

export type FromWriter =
  | { readonly kind: 'map'; readonly map: ChiralMapShared }
  | { readonly kind: 'message'; readonly message: MapMessage }
  | { readonly kind: 'done' }

export type ToReader =
  | { readonly kind: 'start'; readonly map: ChiralMapShared; readonly readerThread: number; readonly shared: Shared }
  | { readonly kind: 'message'; readonly message: MapMessage }

export type FromReader =
  | Confirmed
  | { readonly kind: 'done'; readonly reads: number; readonly changes: number }
  | { readonly kind: 'fault'; readonly fault: string }
