/**
 * Marks of processes in the positions of walks through a group. Where a whole mark has no room, as in a cursor of the
 * Redis protocol, some bits of its digest stand for it: `~<bits>~<digest>`. Two processes then have the same one rarely,
 * but may.
 */
const digestPattern = /^~(\d{1,2})~(\d{1,10})$/

/** @param bits 0 to 31 */
export function markDigest(mark: string, bits: number): number {
  return Bun.hash.crc32(mark) & (2 ** bits - 1)
}

/** Returns what stands for a mark of which only a digest is known. */
export function digestedMark(digest: number, bits: number): string {
  return `~${bits}~${digest}`
}

/** @param given a mark, or what stands for one */
export function isMark(given: string, mark: string): boolean {
  if (given === mark) return true
  const [, bits, digest] = digestPattern.exec(given) ?? []
  return bits !== undefined && Number(bits) <= 31 && markDigest(mark, Number(bits)) === Number(digest)
}
