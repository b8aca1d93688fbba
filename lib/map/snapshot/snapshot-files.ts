/** The data files of one snapshot, open to read. Checks lengths and checksums. */
import { type Disk, type DiskFile, readAll } from './disk.ts'
import { indexName, logName } from './file-names.ts'
import type { SegmentRow, SnapshotManifest } from './manifest.ts'
import { sumOf } from './sealed-json.ts'
import type { ShownState } from './shown-memory.ts'

/** The data are not what the manifest says. */
export class DamagedData extends Error {}

export class SnapshotFiles implements Disposable {
  readonly manifest: SnapshotManifest
  readonly #log: DiskFile
  readonly #index: DiskFile

  /** Throws errors of the disk. */
  constructor(disk: Disk, directory: string, manifest: SnapshotManifest) {
    this.manifest = manifest
    this.#log = disk.open(`${directory}/${logName(manifest.log)}`, 'read')
    try {
      this.#index = disk.open(`${directory}/${indexName(manifest.generation)}`, 'read')
    } catch (error) {
      this.#log.close()
      throw error
    }
  }

  /** Fills `target`, which has `used` bytes. Rejects with DamagedData, or with errors of the disk. */
  async readSegment(row: SegmentRow, target: Uint8Array): Promise<void> {
    await readChecked(this.#log, target, row.slot * this.manifest.segmentBytes, row.sum, this.#nameOf(row))
  }

  /**
   * Shows a segment in memory of `used` bytes, if the disk can. The file may not be changed before own() or reset() of the
   * memory, and nothing may read it before it was checked. Throws DamagedData, or errors of the disk.
   */
  showSegment(row: SegmentRow, memory: Uint8Array): boolean {
    this.#requireWhole(row)
    return this.#log.show(memory, row.slot * this.manifest.segmentBytes)
  }

  /** Throws DamagedData, or an error of the disk, if memory that shows a segment is not right. */
  requireRight(row: SegmentRow, state: ShownState): void {
    if (state === 'right') return
    if (state === 'wrong') throw new DamagedData(`the checksum of ${this.#nameOf(row)} is wrong`)
    this.#requireWhole(row)
    throw Object.assign(new Error(`EIO: ${this.#nameOf(row)} cannot be read`), { code: 'EIO' })
  }

  /** Fills `target`, which has 8 bytes for each slot of the table. Rejects as readSegment does. */
  async readIndex(target: Uint8Array): Promise<void> {
    const { generation, index } = this.manifest
    await readChecked(this.#index, target, 0, index.sum, indexName(generation))
  }

  [Symbol.dispose](): void {
    this.#log.close()
    this.#index.close()
  }

  /** Beyond the end of the file an access to memory that shows it would end the process. */
  #requireWhole(row: SegmentRow): void {
    const end = row.slot * this.manifest.segmentBytes + row.used
    if (this.#log.length() < end) throw new DamagedData(`${this.#nameOf(row)} is cut off`)
  }

  #nameOf({ slot }: SegmentRow): string {
    return `slot ${slot} of ${logName(this.manifest.log)}`
  }
}

async function readChecked(
  file: DiskFile,
  target: Uint8Array,
  position: number,
  sum: string,
  name: string,
): Promise<void> {
  if (!(await readAll(file, target, position))) throw new DamagedData(`${name} is cut off`)
  if (sumOf(target) !== sum) throw new DamagedData(`the checksum of ${name} is wrong`)
}
