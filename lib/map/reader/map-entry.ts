/** Entries as readers return them. */
import type { StoredEntry } from '../memory/probe.ts'

export interface MapEntry extends StoredEntry {
  readonly partition: number
}

export interface KeyedMapEntry extends MapEntry {
  /** A copy in unshared memory. */
  readonly key: Uint8Array
}
