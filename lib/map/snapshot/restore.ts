/**
 * Restores a snapshot into a partition in bulk loading. Segments get numbers of this map, so every address in the table
 * is translated. If the map has segments of another size, the entries are put one by one.
 */
import { isInstance, LatchkeyError, messageOf } from '../../errors.ts'
import { offsetBitsOf } from '../memory/entry.ts'
import type { ChiralMap } from '../writer/chiral-map.ts'
import type { LogSegment } from '../writer/segment-allocator.ts'
import { systemCodeOf } from './disk.ts'
import { faultOf, type SnapshotFault } from './faults.ts'
import { layoutVersion, type SegmentRow } from './manifest.ts'
import { putEntries } from './put-entries.ts'
import type { SnapshotCandidate, SnapshotDirectory } from './snapshot-directory.ts'
import { DamagedData, SnapshotFiles } from './snapshot-files.ts'

/** Segments that are read at the same time. */
const readsMax = 4

/**
 * Fills a partition that is in bulk loading and empty. Checks the checksum of every file, and lets the thread handle
 * events meanwhile. On a fault the partition is empty again, and damaged files are set aside: try the next candidate.
 * @returns what is wrong; undefined if the partition has the snapshot
 */
export async function restoreSnapshot(
  map: ChiralMap,
  candidate: SnapshotCandidate,
): Promise<SnapshotFault | undefined> {
  const { manifest, older, directory } = candidate
  const { partition, generation } = manifest
  try {
    const known = directory.filesOf(partition)
    using files = new SnapshotFiles(directory.disk, directory.pathOf(partition), manifest)
    if (manifest.segmentBytes === map.snapshots.segmentBytes && manifest.layout === layoutVersion) {
      const segments = await restoreSegments(map, directory, files)
      known.continues([manifest, ...older])
      known.continuesLog(
        segments.map(({ row, segment }) => ({ ...row, number: segment.number })),
        (number) => map.snapshots.generationOf(number),
      )
    } else {
      await putEntries(map, files)
      known.continues([manifest, ...older])
    }
    return undefined
  } catch (error) {
    discardSnapshot(map, candidate)
    const fault = faultOfError(error, `${directory.pathOf(partition)}, snapshot ${generation}`)
    if (fault.reason === 'damaged') directory.setAside(partition, generation)
    return fault
  }
}

/** Empties a partition in bulk loading that has a snapshot. */
export function discardSnapshot(map: ChiralMap, { manifest: { partition }, directory }: SnapshotCandidate): void {
  directory.mapped.reset(map.snapshots, partition)
  map.clear(partition)
}

interface Restored {
  readonly row: SegmentRow
  readonly segment: LogSegment
}

async function restoreSegments(
  map: ChiralMap,
  directory: SnapshotDirectory,
  files: SnapshotFiles,
): Promise<Restored[]> {
  const { partition, segments, index } = files.manifest
  const restored = segments.map((row) => ({ row, segment: map.snapshots.addSegment(partition, row) }))
  const show = async ({ row, segment }: Restored) => {
    // An open segment is written: entries are appended.
    if (!row.sealed) return false
    const { mapped } = directory
    const memory = segment.bytes.subarray(0, row.used) as Uint8Array<SharedArrayBuffer>
    const isShown = await mapped.show(map.snapshots, partition, segment, row.used, () => files.showSegment(row, memory))
    if (isShown) files.requireRight(row, await mapped.check(memory, row.sum))
    return isShown
  }
  const table = map.snapshots.createTable(index.bits)
  try {
    const { buffer, byteOffset, byteLength } = table.slots
    // The system reads the index beside this thread, which checks what is shown.
    await allOf([files.readIndex(new Uint8Array(buffer, byteOffset, byteLength)), fillSegments(files, restored, show)])
    table.count = translate(table.slots, files, restored)
    map.snapshots.install(partition, table)
  } catch (error) {
    map.snapshots.discard(table)
    throw error
  }
  return restored
}

/**
 * Shows segments, or reads some at the same time. Ends when no read is under way, since their memory is freed after a
 * fault.
 */
async function fillSegments(
  files: SnapshotFiles,
  restored: readonly Restored[],
  show: (restored: Restored) => Promise<boolean>,
): Promise<void> {
  const rest = restored.values()
  let hasFailed = false
  const filling = Array.from({ length: readsMax }, async () => {
    for (const one of rest) {
      if (hasFailed) return
      try {
        if (await show(one)) continue
        await files.readSegment(one.row, one.segment.bytes.subarray(0, one.row.used))
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  })
  await allOf(filling)
}

/** Rejects with the first fault once all have ended: none writes to memory any more. */
async function allOf(steps: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

/** Changes the addresses in a table to those in this map. Returns the number of entries. */
function translate(slots: Int32Array, files: SnapshotFiles, restored: readonly Restored[]): number {
  const { segmentBytes, entries } = files.manifest
  const offsetBits = offsetBitsOf(segmentBytes)
  const offsetMask = 2 ** offsetBits - 1
  const highest = restored.reduce((most, { row }) => Math.max(most, row.number), 0)
  const targets = new Int32Array(highest + 1)
  /** Of entries in the segment, in units of an address. */
  const ends = new Int32Array(highest + 1)
  for (const { row, segment } of restored) {
    targets[row.number] = segment.number << offsetBits
    ends[row.number] = row.used >>> 3
  }
  let count = 0
  for (let i = 1; i < slots.length; i += 2) {
    const address = slots[i]!
    if (address === 0) continue
    const number = address >>> offsetBits
    const offset = address & offsetMask
    const isWithin = number <= highest && offset > 0 && offset < ends[number]!
    if (!isWithin) throw new DamagedData('an address leads to no entry')
    slots[i] = targets[number]! | offset
    count++
  }
  if (count !== entries) throw new DamagedData(`the index has ${count} entries instead of ${entries}`)
  return count
}

function faultOfError(error: unknown, what: string): SnapshotFault {
  const message = `${what}: ${messageOf(error)}`
  if (isInstance(error, DamagedData) || systemCodeOf(error) === 'ENOENT') return faultOf('damaged', message)
  if (isInstance(error, LatchkeyError) && error.code === 'memory_exhausted') return faultOf('memory', message)
  if (systemCodeOf(error) !== undefined) return faultOf('unreadable', message)
  throw error
}
