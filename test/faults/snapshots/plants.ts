/** Defects of snapshots, each of which a test has to find (main.ts). */
import { type Plant, plant } from '../plants.ts'

const check = 'lib/store-thread/recovery/snapshot-check.ts'
const files = 'lib/map/snapshot/partition-files.ts'
const mapped = 'lib/map/snapshot/mapped-segments.ts'
const room = 'lib/store-thread/memory/memory-room.ts'
const writing = 'lib/map/snapshot/write-snapshot.ts'

/** Of what a snapshot states, and of the check whether it may be used. */
export const checkPlants: readonly Plant[] = [
  plant('the age is not checked', check, 'if (ms < allowed) return undefined', 'if (ms >= 0) return undefined'),
  plant('a clock that went backwards is not noticed', check, 'if (isBackwards) return', 'if (ms < 0) return'),
  plant('the topic id is not checked', check, 'input.topicId !== facts.topicId', "input.topicId === ''"),
  plant(
    'a truncated log is not noticed',
    check,
    'if (position > changelogEnd) {',
    'if (position > changelogEnd + 1) {',
  ),
  plant('the end of the epoch is one too low', check, 'input.epochEnd < position', 'input.epochEnd + 1 < position'),
  plant('deleted records are not noticed', check, 'changelogStart !== facts.changelogStart || ', ''),
  plant(
    'kept headers are not checked',
    check,
    'if (before === now) return undefined',
    'if (before !== "no") return undefined',
  ),
  plant(
    'the position is too high by one',
    'lib/store-thread/snapshots/facts-now.ts',
    'const { position, changelogStart, owners } = point\n',
    'const { changelogStart, owners } = point\n  const position = point.position + 1\n',
  ),
  plant(
    'the map need not have what the changelog had',
    'lib/store-thread/snapshots/facts-now.ts',
    'if (point === undefined || point.known >= offset) return point',
    'if (point === undefined || point.known < offset + 1e9) return point',
  ),
]

/** Of the files, and of what is written to them. */
export const filesPlants: readonly Plant[] = [
  plant(
    'the manifest is written before the log is synced',
    writing,
    '      this.#syncLog(file)\n      return rows\n',
    '      return rows\n',
  ),
  plant(
    'the manifest is written before the index is synced',
    writing,
    '      this.#write(file, bytes, 0, () => file.sync())\n      file.sync()\n',
    '      this.#write(file, bytes, 0, () => file.sync())\n',
  ),
  plant(
    'the names of data files are not synced',
    writing,
    '      this.#disk.syncDirectory(directory)\n      const content',
    '      const content',
  ),
  {
    name: 'a log whose sync failed is continued',
    file: writing,
    edits: [
      { find: "      if (failureOf(error).reason !== 'full') this.#isLogLost = true\n", replace: '' },
      { find: '      this.#isLogLost = true\n      throw error\n', replace: '      throw error\n' },
    ],
  },
  plant(
    'a snapshot at a close makes pauses',
    'lib/map/snapshot/snapshot-writer.ts',
    'if (this.#isHurried) hurry(state)',
    'if (this.#isHurried && state.byteLength === 0) hurry(state)',
  ),
  plant(
    'a snapshot makes pauses however much memory it keeps',
    'lib/map/snapshot/snapshot-writer.ts',
    'pinnedFreeBytes * keptShare > touchedBytes',
    'pinnedFreeBytes > touchedBytes',
  ),
  plant(
    'slots of the last manifest are used again',
    files,
    'const named = this.#manifests.filter((manifest) => manifest.log === log)',
    'const named = this.#manifests.filter((manifest) => manifest.log < log)',
  ),
  plant(
    'a recycled segment counts as the one that the files have',
    'lib/map/snapshot/plan.ts',
    'known === undefined || known.generation !== segment.generation',
    'known === undefined || known.row.used > segment.used',
  ),
  plant(
    'the index file of the generation before is read',
    'lib/map/snapshot/snapshot-files.ts',
    'indexName(manifest.generation)}`',
    'indexName(Math.max(1, manifest.generation - 1))}`',
  ),
  plant(
    'operations that wait count as live',
    'lib/map/writer/snapshot-access.ts',
    'const liveBytes = segment.liveBytes - size\n',
    'const liveBytes = segment.liveBytes - 0 * size\n',
  ),
  plant(
    'segments are not pinned while they are written',
    'lib/map/writer/snapshot-access.ts',
    '      segment.pinned = true\n',
    '',
  ),
]

/** Of the memory that snapshots are restored into. */
export const memoryPlants: readonly Plant[] = [
  plant(
    'memory shows a file before it is kept',
    mapped,
    'const isKept = await this.#keep(buffer, this.#keeper)\n',
    'show()\n    const isKept = await this.#keep(buffer, this.#keeper)\n',
  ),
  plant(
    'memory is released before all of it is independent',
    mapped,
    'if (kept.segments === 0) {',
    'if (kept.segments >= 0) {',
  ),
  plant(
    'a close leaves memory that shows a file',
    mapped,
    '    this.#isClosed = true\n',
    '    if (this.#count >= 0) return\n',
  ),
  plant(
    'a restore shows files after the close',
    mapped,
    'if (isKept && this.#segments.has(number) && show()) return true',
    'if (isKept && show()) return true',
  ),
  plant(
    'memory of a thread that ended is not kept',
    'lib/store/kept-buffers.ts',
    '      this.#buffers.set(id, buffer)\n',
    '      this.#buffers.set(id, new SharedArrayBuffer(buffer.byteLength > 0 ? 8 : 0))\n',
  ),
  plant(
    'a disk that cannot be read ends the process',
    'lib/linux/mapped-memory.ts',
    'return libc.madvise(pages.address, pages.length, populateRead) === 0',
    'return pages.length > 0n',
  ),
  plant(
    'what is shown is not checked',
    'lib/map/snapshot/snapshot-files.ts',
    "if (state === 'right') return\n",
    "if (state !== 'unreadable') return\n",
  ),
  plant(
    'what is restored is not counted',
    room,
    'if (this.#needs.measure() <= this.#restoreMax) return end',
    'if (this.#restoreMax > 0) return end',
  ),
  plant('the copy of an index is not counted', room, '    this.#needs.addBuffer(bytes)\n    if', '    if'),
  plant(
    'memory is given back that was never written',
    'lib/map/writer/segment-allocator.ts',
    'segment.owner !== ownerFree || !segment.dirty',
    'segment.owner !== ownerFree',
  ),
]
