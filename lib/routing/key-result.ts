/** The outcome of looking one key up, as instances answer each other. */
import type { LatchkeyError } from '../errors.ts'
import type { Lookup } from '../store-protocol/status.ts'

export type KeyResult = FoundKey | MissedKey | Failed

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
