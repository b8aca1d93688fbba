/**
 * Cursors of SCAN: partition × 2^32 + hash, below 2^53 so that every client keeps all digits. They stay good over a
 * restart, which may return keys again or leave out some. In a group bits of the mark of the process that has read the
 * partition stand before the partition's: if that is another one now, the partition is begun again, and no key is left
 * out.
 */
import type { StoreReads, WalkPosition } from '../store-protocol/reads.ts'
import { digestedMark, markDigest } from '../store-protocol/walk-mark.ts'

const hashes = 2 ** 32
/** Of a cursor, above the hash. */
const bits = 21
const partitionBitsMin = 12

type ScannedReads = Pick<StoreReads, 'heldPartitions' | 'walkMark' | 'readsGroup'>

export function scanCursor(reads: ScannedReads, { partition, hash, mark = reads.walkMark }: WalkPosition): number {
  if (!reads.readsGroup || hash === 0) return partition * hashes + hash
  const partitionBits = partitionBitsOf(reads)
  const digest = markDigest(mark, bits - partitionBits)
  return (digest * 2 ** partitionBits + partition) * hashes + hash
}

export function scanPosition(reads: ScannedReads, cursor: number): WalkPosition {
  const high = Math.floor(cursor / hashes)
  const hash = cursor % hashes
  if (!reads.readsGroup || hash === 0) return { partition: high, hash }
  const partitions = 2 ** partitionBitsOf(reads)
  const mark = digestedMark(Math.floor(high / partitions), Math.log2(2 ** bits / partitions))
  return { partition: high % partitions, hash, mark }
}

/** The same while the topic grows, but for topics with thousands of partitions. */
function partitionBitsOf({ heldPartitions }: ScannedReads): number {
  const needed = Math.ceil(Math.log2(heldPartitions.length + 1))
  return Math.min(bits, Math.max(partitionBitsMin, needed))
}
