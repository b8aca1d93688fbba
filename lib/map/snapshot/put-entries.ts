/**
 * Puts the entries of a snapshot into a map one by one. For segments of another size than the map's, and for an earlier
 * layout of entries.
 */
import { entryBytes, headerBytes, offsetBitsOf } from '../memory/entry.ts'
import type { ChiralMap } from '../writer/chiral-map.ts'
import type { SegmentRow } from './manifest.ts'
import { DamagedData, type SnapshotFiles } from './snapshot-files.ts'

/** Resolves when a partition in bulk loading has all entries. Rejects with DamagedData or errors of the disk. */
export async function putEntries(map: ChiralMap, files: SnapshotFiles): Promise<void> {
  const { manifest } = files
  map.reserve(manifest.partition, manifest.entries)
  const addresses = await liveAddresses(files)
  const offsetBits = offsetBitsOf(manifest.segmentBytes)
  const offsetMask = 2 ** offsetBits - 1
  let next = 0
  for (const row of manifest.segments.toSorted((a, b) => a.number - b.number)) {
    const bytes = new Uint8Array(row.used)
    await files.readSegment(row, bytes)
    for (; next < addresses.length && addresses[next]! >>> offsetBits === row.number; next++) {
      putEntry(map, manifest.partition, row, bytes, (addresses[next]! & offsetMask) << 3)
    }
  }
  if (next < addresses.length) throw new DamagedData('an address leads to no segment')
}

/** Returns the addresses in the index, ascending: segment by segment. */
async function liveAddresses(files: SnapshotFiles): Promise<Uint32Array> {
  const { entries, index } = files.manifest
  const slots = new Uint32Array(2 * 2 ** index.bits)
  await files.readIndex(new Uint8Array(slots.buffer))
  const addresses = new Uint32Array(entries)
  let count = 0
  for (let i = 1; i < slots.length; i += 2) if (slots[i] !== 0) addresses[count++] = slots[i]!
  if (count !== entries) throw new DamagedData(`the index has ${count} entries instead of ${entries}`)
  return addresses.toSorted()
}

function putEntry(map: ChiralMap, partition: number, row: SegmentRow, bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer)
  const fits = at >= 8 && at + headerBytes <= row.used
  const keyLength = fits ? view.getInt32(at, true) : -1
  const valueLength = fits ? view.getInt32(at + 4, true) : -1
  if (keyLength < 0 || valueLength < 0 || at + entryBytes(keyLength, valueLength) > row.used) {
    throw new DamagedData(`segment ${row.number} has no entry at ${at}`)
  }
  const keyStart = at + headerBytes
  const offset = view.getFloat64(at + 8, true)
  const timestamp = view.getFloat64(at + 16, true)
  map.put(partition, bytes, keyStart, keyLength, keyStart + keyLength, valueLength, offset, timestamp)
}
