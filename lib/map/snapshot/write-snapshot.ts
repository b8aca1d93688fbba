/**
 * Writes one snapshot. Order: log, index and their names are durable before the manifest names them; the manifest
 * appears whole, under its name; only then what no manifest names is removed. So at every moment the last manifest and
 * all that it names are whole.
 */
import { type Disk, type DiskFile, unfinishedSuffix, writeAll, writeWhole } from './disk.ts'
import { failureOf } from './faults.ts'
import { indexName, isDataFile, logName, manifestName } from './file-names.ts'
import { encodeManifest, type SegmentRow, slotBytes, type SnapshotManifest } from './manifest.ts'
import { Pace, pieceBytes } from './pace.ts'
import type { PlannedSegment } from './plan.ts'
import { sumOf } from './sealed-json.ts'
import { aborted, type FromSnapshotThread, read, reading, type SnapshotJob } from './snapshot-job.ts'

/** After so many bytes they are synced. Bounds the dirty pages, and the time without a message. */
const syncBytes = 64 << 20

/** Writes the snapshot of a job and posts what has come of it. Never throws. */
export function writeSnapshot(job: SnapshotJob, disk: Disk, post: (message: FromSnapshotThread) => void): void {
  new SnapshotWriting(job, disk, post).run()
}

class SnapshotWriting {
  readonly #job: SnapshotJob
  readonly #disk: Disk
  readonly #post: (message: FromSnapshotThread) => void
  readonly #pace: Pace
  #bytes = 0
  #unsynced = 0
  #isLogLost = false

  constructor(job: SnapshotJob, disk: Disk, post: (message: FromSnapshotThread) => void) {
    this.#job = job
    this.#disk = disk
    this.#post = post
    this.#pace = new Pace(job.state)
  }

  run(): void {
    const { directory, manifest } = this.#job
    const { generation } = manifest
    try {
      this.#disk.makeDirectory(directory)
      const segments = this.#writeLog()
      this.#endReading()
      const index = this.#writeIndex()
      this.#disk.syncDirectory(directory)
      const content = encodeManifest({ ...manifest, segments, index })
      writeWhole(this.#disk, directory, manifestName(generation), content)
      this.#removeOthers()
      const { pausedMs } = this.#pace
      this.#post({ kind: 'written', segments, index, bytes: this.#bytes + content.length, pausedMs })
    } catch (error) {
      this.#removeAttempt(error)
      this.#post({ kind: 'failed', failure: failureOf(error), isLogLost: this.#isLogLost })
    }
  }

  #writeLog(): SegmentRow[] {
    const { segments, manifest } = this.#job
    const file = this.#open(logName(manifest.log), 'write')
    try {
      const rows = segments.map((segment) => this.#writeSegment(file, segment))
      this.#syncLog(file)
      return rows
    } catch (error) {
      // After a full disk, what was written before is as it was.
      if (failureOf(error).reason !== 'full') this.#isLogLost = true
      throw error
    } finally {
      file.close()
    }
  }

  #writeSegment(file: DiskFile, segment: PlannedSegment): SegmentRow {
    const { number, slot, used, run, sealed, liveBytes, allowance, from } = segment
    const row = { number, slot, used, run, sealed, liveBytes, allowance }
    if (segment.sum !== undefined) return { ...row, sum: segment.sum }
    const bytes = new Uint8Array(segment.buffer, segment.byteOffset, used)
    const sum = sumOf(bytes)
    this.#write(file, bytes.subarray(from), slot * this.#job.manifest.segmentBytes + from, () => this.#syncLog(file))
    this.#post({ kind: 'segment', number })
    return { ...row, sum }
  }

  #syncLog(file: DiskFile): void {
    try {
      file.sync()
    } catch (error) {
      // What of it is on the disk is not known, and a second sync would not find out: the system may have dropped it.
      this.#isLogLost = true
      throw error
    }
  }

  #writeIndex(): SnapshotManifest['index'] {
    const { table, bits, manifest } = this.#job
    const bytes = new Uint8Array(table, 0, slotBytes * 2 ** bits)
    const file = this.#open(indexName(manifest.generation), 'empty')
    try {
      this.#write(file, bytes, 0, () => file.sync())
      file.sync()
    } finally {
      file.close()
    }
    return { bits, sum: sumOf(bytes) }
  }

  /** Writes in parts, and calls `sync` for every syncBytes. */
  #write(file: DiskFile, bytes: Uint8Array, position: number, sync: () => void): void {
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      const part = bytes.subarray(start, start + pieceBytes)
      writeAll(file, part, position + start)
      this.#bytes += part.length
      this.#unsynced += part.length
      if (this.#unsynced >= syncBytes) {
        sync()
        this.#unsynced = 0
        this.#post({ kind: 'progress' })
      }
      this.#pace.wrote(part.length)
    }
  }

  /** Throws if the memory of the segments may be in use for something else. */
  #endReading(): void {
    const state = new Int32Array(this.#job.state)
    if (Atomics.compareExchange(state, 0, reading, read) === aborted) throw new Error('it was aborted')
  }

  /** Removes what no manifest names. What cannot be removed stays for the next time. */
  #removeOthers(): void {
    const { directory, manifest, keep, keepLogs } = this.#job
    const kept = new Set([
      ...[...keep, manifest.generation].flatMap((each) => [manifestName(each), indexName(each)]),
      ...[...keepLogs, manifest.log].map(logName),
    ])
    this.#remove(this.#names(directory).filter((name) => isDataFile(name) && !kept.has(name)))
  }

  /** The manifest goes first, so that none names what is missing. */
  #removeAttempt(error: unknown): void {
    const { manifest, logLength } = this.#job
    const { generation, log } = manifest
    const name = manifestName(generation)
    this.#remove([`${name}${unfinishedSuffix}`, name, indexName(generation)])
    if (logLength === 0) this.#remove([logName(log)])
    else if (failureOf(error).reason === 'full') this.#shrinkLog(logName(log), logLength)
  }

  #shrinkLog(name: string, length: number): void {
    try {
      const file = this.#open(name, 'write')
      try {
        file.truncate(length)
      } finally {
        file.close()
      }
    } catch {
      // Only space is lost.
    }
  }

  #remove(names: readonly string[]): void {
    for (const name of names) {
      try {
        this.#disk.remove(`${this.#job.directory}/${name}`)
      } catch {
        // The next snapshot removes it.
      }
    }
  }

  #names(directory: string): string[] {
    try {
      return this.#disk.list(directory)
    } catch {
      return []
    }
  }

  #open(name: string, how: 'write' | 'empty'): DiskFile {
    return this.#disk.open(`${this.#job.directory}/${name}`, how)
  }
}
