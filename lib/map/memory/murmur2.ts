/**
 * Kafka's murmur2 (org.apache.kafka.common.utils.Utils.murmur2). Its only use is to find the partition that the default
 * partitioner chooses for a key. The index tables have a keyed hash (half-sip-hash.ts).
 */

const multiplier = 0x5bd1e995
const seed = 0x9747b28c

/** Returns the hash of `length` bytes from `start` as Kafka's clients compute it, as a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array, start: number, length: number): number {
  let hash = seed ^ length
  let at = start
  const wordsEnd = start + (length & ~3)
  for (; at < wordsEnd; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, multiplier)
    word ^= word >>> 24
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier)
  }
  const tail = length & 3
  if (tail > 2) hash ^= bytes[at + 2]! << 16
  if (tail > 1) hash ^= bytes[at + 1]! << 8
  if (tail > 0) hash = Math.imul(hash ^ bytes[at]!, multiplier)
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/**
 * Returns the partition, of `partitionCount`, that Kafka's default partitioner chooses for a key.
 * @param bytes have the key from `start`; by default they are the key
 */
export function partitionOf(bytes: Uint8Array, partitionCount: number, start = 0, length = bytes.length): number {
  return (murmur2(bytes, start, length) & 0x7fffffff) % partitionCount
}
