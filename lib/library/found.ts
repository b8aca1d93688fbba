/** What a typed lookup finds. */
import { type Lookup } from '../store-protocol/status.ts'
import { type KeptHeader, keptHeaders } from '../store-protocol/header-prefix.ts'

/** A value and where it comes from. */
export interface Found<V> {
  readonly value: V
  readonly partition: number
  /** Offset of the source record; -1 for a value that a program has written itself, and where the changelog does not tell. */
  readonly offset: number
  /** Milliseconds since the epoch; -1 where the record has none. */
  readonly timestamp: number
  /** Those headers of the source record that the store keeps: name, and bytes of the value. */
  readonly headers: readonly KeptHeader[]
  /** Only where the partition is a copy here: how many changelog records it is behind; null where that is not known. */
  readonly replicaLag?: number | null
}

export function foundOf<V>(lookup: Lookup, value: V): Found<V> {
  const { partition, offset, timestamp, replicaLag } = lookup
  const found = { value, partition, offset, timestamp, headers: keptHeaders(lookup) }
  return replicaLag === undefined ? found : { ...found, replicaLag }
}
