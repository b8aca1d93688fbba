/** What instances ask each other, and what they answer. */
import type { Failed, FoundKey, MissedKey } from './key-result.ts'
import type { WideOperation, WideResult } from './wide-operations.ts'

export interface GetOperation {
  type: 'get'
  key: Uint8Array
  /** As in the query of a lookup: what is staler does not help who asks. */
  maxLag: number | undefined
}

export type PeerOperation = GetOperation | WideOperation

/** Whether who asked is reached at the URL that the group has for it. */
export interface Reached {
  type: 'reached'
  /** Null if that is not known yet. */
  isReached: boolean | null
  /** Why not; empty otherwise. */
  said: string
}

export type Result = FoundKey | MissedKey | Failed | Reached | WideResult
