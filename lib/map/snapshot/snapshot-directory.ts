/** The directory of a store's snapshots: a seed for all, and a directory for each partition. */
import { messageOf } from '../../errors.ts'
import { canLockFiles, lockFile } from '../../linux/file-lock.ts'
import { type Disk, systemCodeOf } from './disk.ts'
import { faultOf, isFault, type SnapshotFault } from './faults.ts'
import { damagedPrefix, highestGeneration, lockName, manifestGenerations, manifestName } from './file-names.ts'
import { dataBytesOf, decodeManifest, manifestBytesMax, memoryBytesOf, type SnapshotManifest } from './manifest.ts'
import { MappedSegments } from './mapped-segments.ts'
import type { MemoryKeeper } from './memory-keeper.ts'
import { PartitionFiles, type SnapshotHeader } from './partition-files.ts'
import { readSeed, type Seed } from './seed.ts'
import { systemDisk } from './system-disk.ts'

/** Manifests that are read, latest first, until two are whole. */
const manifestsReadMax = 4
const manifestsWanted = 2

/** A snapshot whose manifest is whole. Its data have not been read. */
export interface SnapshotCandidate {
  readonly manifest: SnapshotManifest
  readonly directory: SnapshotDirectory
  /** Whole manifests of before. */
  readonly older: readonly SnapshotManifest[]
  /** Bytes of the data to read. */
  readonly bytes: number
  /** Bytes of memory that the partition will have. */
  readonly memoryBytes: number
}

export interface Candidates {
  /** Latest first. */
  readonly snapshots: readonly SnapshotCandidate[]
  /** What is wrong with others, a sentence each. */
  readonly faults: readonly SnapshotFault[]
}

/**
 * Locks the directory of a store's snapshots until the returned function is called or the process ends. Makes it if it
 * does not exist. Once for each process: a second call does not get the lock either.
 */
export function lockSnapshots(path: string): { release(): void } | { whyNot: string; isTaken?: boolean } {
  if (!canLockFiles) return { whyNot: 'this system has no flock(2) that Latchkey can call' }
  try {
    systemDisk.makeDirectory(path)
    systemDisk.checkOwner(path)
    const release = lockFile(`${path}/${lockName}`)
    return release === undefined ? { whyNot: 'another process holds its lock', isTaken: true } : { release }
  } catch (error) {
    return { whyNot: messageOf(error) }
  }
}

/**
 * Opens the directory of a store's snapshots, and makes it and its seed if they do not exist.
 * @param keeper of memory that shows files; without one everything is read
 */
export function openSnapshotDirectory(
  path: string,
  disk: Disk = systemDisk,
  keeper?: MemoryKeeper,
): { directory: SnapshotDirectory } | { fault: SnapshotFault } {
  try {
    disk.checkOwner(path)
    const names = disk.list(path)
    if (names.length === 0) disk.makeDirectory(path)
    const { seed, isReplaced } = readSeed(disk, path)
    return { directory: new SnapshotDirectory(path, disk, seed, isReplaced, keeper) }
  } catch (error) {
    return { fault: faultOf('unreadable', messageOf(error)) }
  }
}

export class SnapshotDirectory {
  readonly path: string
  readonly disk: Disk
  /** The seed file was damaged. All snapshots of before are of no use. */
  readonly isSeedReplaced: boolean
  /** Segments that the restored maps of this thread show from files. */
  readonly mapped: MappedSegments
  readonly #seed: Seed
  readonly #files = new Map<number, PartitionFiles>()

  constructor(path: string, disk: Disk, seed: Seed, isSeedReplaced: boolean, keeper: MemoryKeeper | undefined) {
    this.path = path
    this.disk = disk
    this.isSeedReplaced = isSeedReplaced
    this.#seed = seed
    this.mapped = new MappedSegments(keeper)
  }

  /** Key of the index hash for all maps of the store. Secret: never log it. */
  get seed(): readonly [number, number] {
    return this.#seed.key
  }

  pathOf(partition: number): string {
    return `${this.path}/${partition}`
  }

  header(partition: number, segmentBytes: number): SnapshotHeader {
    return { directory: this.pathOf(partition), partition, seed: this.#seed.id, segmentBytes }
  }

  /** Returns what is known of the files of a partition. Throws errors of the disk. */
  filesOf(partition: number): PartitionFiles {
    let files = this.#files.get(partition)
    if (files === undefined) {
      files = new PartitionFiles(highestGeneration(this.disk.list(this.pathOf(partition))))
      this.#files.set(partition, files)
    }
    return files
  }

  /** Reads the manifests of a partition. A damaged one is set aside, so the process has to hold the lock. */
  candidates(partition: number): Candidates {
    const manifests: SnapshotManifest[] = []
    const faults: SnapshotFault[] = []
    for (const generation of this.#generations(partition, faults).slice(0, manifestsReadMax)) {
      const manifest = this.#manifestOf(partition, generation)
      if (isFault(manifest)) {
        faults.push(manifest)
        if (manifest.reason === 'damaged') this.setAside(partition, generation)
        // The files are those of a program that may name them in a way that is not known here.
        if (manifest.reason === 'newer') break
        continue
      }
      manifests.push(manifest)
      if (manifests.length === manifestsWanted) break
    }
    const snapshots = manifests.map((manifest, index) => ({
      manifest,
      directory: this,
      older: manifests.slice(index + 1),
      bytes: dataBytesOf(manifest),
      memoryBytes: memoryBytesOf(manifest),
    }))
    return { snapshots, faults }
  }

  /** Renames a damaged manifest, so that no start meets it again. The one that was renamed before is removed. */
  setAside(partition: number, generation: number): void {
    const directory = this.pathOf(partition)
    const name = manifestName(generation)
    try {
      const before = this.disk.list(directory).filter((each) => each.startsWith(damagedPrefix))
      this.disk.rename(`${directory}/${name}`, `${directory}/${damagedPrefix}${name}`)
      for (const each of before) this.disk.remove(`${directory}/${each}`)
      this.disk.syncDirectory(directory)
    } catch {
      // It is found again at the next start.
    }
  }

  #generations(partition: number, faults: SnapshotFault[]): number[] {
    try {
      return manifestGenerations(this.disk.list(this.pathOf(partition)))
    } catch (error) {
      faults.push(faultOf('unreadable', messageOf(error)))
      return []
    }
  }

  #manifestOf(partition: number, generation: number): SnapshotManifest | SnapshotFault {
    const path = `${this.pathOf(partition)}/${manifestName(generation)}`
    const where = (fault: SnapshotFault) => faultOf(fault.reason, `${path}: ${fault.message}`)
    try {
      const content = this.disk.readWhole(path, manifestBytesMax)
      const decoded = decodeManifest(content, { seed: this.#seed.id, partition })
      if (isFault(decoded)) return where(decoded)
      return decoded.generation === generation ? decoded : where(faultOf('damaged', 'it has the name of another'))
    } catch (error) {
      const isTooLarge = systemCodeOf(error) === 'EFBIG'
      return where(faultOf(isTooLarge ? 'damaged' : 'unreadable', messageOf(error)))
    }
  }
}
