/**
 * Restores a snapshot if it fits into MEMORY_MAX. Otherwise the changelog is read, and dead entries are cleaned meanwhile,
 * which a snapshot has, too.
 */
import { type ChiralMap, restoreSnapshot, type SnapshotCandidate, type SnapshotFault } from '../../map/index.ts'
import { mebibytes } from '../../text/byte-size.ts'
import type { MemoryRoom } from '../memory/memory-room.ts'

/** As restoreSnapshot(), of a snapshot that fits. */
export async function restoreWithin(
  room: MemoryRoom,
  map: ChiralMap,
  candidate: SnapshotCandidate,
): Promise<SnapshotFault | undefined> {
  const { memoryBytes, manifest } = candidate
  const ended = room.beginRestore(memoryBytes)
  if (ended === undefined) {
    const found = `snapshot ${manifest.generation} takes ${mebibytes(memoryBytes)} of memory, and MEMORY_MAX leaves less`
    return { reason: 'memory', message: found }
  }
  try {
    return await restoreSnapshot(map, candidate)
  } finally {
    ended()
  }
}
