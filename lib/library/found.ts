/** Result of a typed lookup. */
import { decodeKeptHeaders, type KeptHeader } from '../store-protocol/header-prefix.ts'
import type { Lookup } from '../store-protocol/status.ts'

/** A value and its origin. */
export interface Found<V> {
  readonly value: V
  readonly partition: number
  /** Offset of the source record; -1 for a value that a program wrote itself, or if the changelog record has none. */
  readonly offset: number
  /** Milliseconds since the epoch; -1 if the record has none. */
  readonly timestamp: number
  /** The headers of the source record that the store keeps: each with its name and the bytes of its value. */
  readonly headers: readonly KeptHeader[]
  /** Only if the partition is a replica here: changelog records that it is behind; null if unknown. */
  readonly replicaLag?: number | null
}

export function foundOf<V>(lookup: Lookup, value: V): Found<V> {
  const { partition, offset, timestamp, replicaLag } = lookup
  const found = { value, partition, offset, timestamp, headers: decodeKeptHeaders(lookup) }
  return replicaLag === undefined ? found : { ...found, replicaLag }
}
