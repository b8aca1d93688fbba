/** Which partition a producer puts a key into. Together with what is held, that tells a miss from a key that is held elsewhere. */
import { partitionOf } from '../map/index.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'

/** The partition of a key; undefined where the partitioner is not known. */
export function partitionFor(
  key: Uint8Array,
  partitionCount: number,
  partitioner: StoreConfig['partitioner'],
): number | undefined {
  switch (partitioner) {
    case 'murmur2':
      return partitionOf(key, partitionCount)
    case 'crc32':
      // librdkafka's "consistent_random": the unsigned CRC-32 modulo the partitions, but an empty key goes anywhere.
      return key.length === 0 ? undefined : Bun.hash.crc32(key) % partitionCount
    case 'none':
      return undefined
  }
}
