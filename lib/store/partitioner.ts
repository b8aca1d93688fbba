/**
 * The partition that a producer selects for a key. With the partitions held here, this distinguishes a missing key from
 * a key that another instance holds.
 */
import { partitionOf } from '../map/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'

/** Returns the partition of a key; undefined if it is not determined. */
export function partitionFor(
  key: Uint8Array,
  partitionCount: number,
  partitioner: StoreConfig['partitioner'],
): number | undefined {
  switch (partitioner) {
    case 'murmur2':
      return partitionOf(key, partitionCount)
    case 'crc32':
      // librdkafka's "consistent_random": the unsigned CRC-32 modulo the number of partitions. An empty key may go to
      // any partition.
      return key.length === 0 ? undefined : Bun.hash.crc32(key) % partitionCount
    case 'none':
      return undefined
  }
}

/** Returns the partition of a key; that of Kafka's default partitioner if it is not determined. */
export function likelyPartition(
  key: Uint8Array,
  partitionCount: number,
  partitioner: StoreConfig['partitioner'],
): number {
  return partitionFor(key, partitionCount, partitioner) ?? partitionOf(key, partitionCount)
}
