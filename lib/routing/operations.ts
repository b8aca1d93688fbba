/** What instances ask each other, and what they answer. */
import type { LatchkeyError } from '../errors.ts'
import type { Lookup } from '../store-protocol/status.ts'

export interface GetOperation {
  type: 'get'
  key: Uint8Array
  /** As in the query of a lookup: what is staler does not help who asks. */
  maxLag: number | undefined
}

export type PeerOperation = GetOperation

export interface FoundKey {
  type: 'found'
  lookup: Lookup
}

/** The copy that was asked is complete, and does not have the key. */
export interface MissedKey {
  type: 'missed'
  /** False: the partition has not caught up with its source, so the record may still arrive. */
  caughtUp: boolean
  /** It will not catch up: a record cannot be stored. */
  isHalted: boolean
  partition: number
  /** As Lookup.replicaLag. */
  lag?: number | null
}

export interface Failed {
  type: 'failed'
  error: LatchkeyError
}

/** Whether who asked is reached at the URL that the group has for it. */
export interface Reached {
  type: 'reached'
  /** Null if that is not known yet. */
  isReached: boolean | null
  /** Why not; empty otherwise. */
  said: string
}

export type Result = FoundKey | MissedKey | Failed | Reached
