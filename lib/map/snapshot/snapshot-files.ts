/** The data files of one snapshot, open to read. Checks lengths and checksums. */
import { type Disk, type DiskFile, readAll } from './disk.ts'
import { indexName, logName } from './file-names.ts'
import type { SegmentRow, SnapshotManifest } from './manifest.ts'
import { sumOf } from './sealed-json.ts'

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
  async readSegment({ slot, sum }: SegmentRow, target: Uint8Array): Promise<void> {
    const { log, segmentBytes } = this.manifest
    await readChecked(this.#log, target, slot * segmentBytes, sum, `slot ${slot} of ${logName(log)}`)
  }

  /**
   * Shows a segment in memory of `used` bytes, if the disk can. The file may not be changed before own() or reset() of the
   * memory. Throws DamagedData, or errors of the disk; then the memory may show the file.
   */
  showSegment({ slot, sum, used }: SegmentRow, memory: Uint8Array): boolean {
    const { log, segmentBytes } = this.manifest
    const name = `slot ${slot} of ${logName(log)}`
    // Beyond the end of the file an access would end the process.
    if (this.#log.length() < slot * segmentBytes + used) throw new DamagedData(`${name} is cut off`)
    if (!this.#log.show(memory, slot * segmentBytes)) return false
    if (sumOf(memory) !== sum) throw new DamagedData(`the checksum of ${name} is wrong`)
    return true
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
