/** What snapshots need of a file system. Small, so that tests can stand for one that fails or loses power. */

export interface DiskFile {
  /** Returns the length of the file. */
  length(): number
  /**
   * Shows a part of the file in place of memory (lib/linux/mapped-memory.ts), which nothing may read before readShown().
   * @returns false if this file cannot do it, and nothing has changed
   */
  show(memory: Uint8Array, position: number): boolean
  /** Returns the number of bytes read, 0 at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  /** Returns the number of bytes written, at least 1. Throws. */
  write(source: Uint8Array, position: number): number
  /** Resizes the file. */
  truncate(length: number): void
  /** Returns when the content is durable. After an error the content is unknown. */
  sync(): void
  close(): void
}

/** Methods throw errors of the system, with a `code`. */
export interface Disk {
  /** Makes a directory that only its owner can read, durably, and those above it. Does nothing if it exists. */
  makeDirectory(path: string): void
  /** Throws EPERM if other users can put files into a directory. Does nothing if there is none. */
  checkOwner(path: string): void
  /** Returns the names in a directory, none if it does not exist. */
  list(path: string): string[]
  /** Reads a whole file of at most `lengthMax` bytes. Throws EFBIG if it is larger. */
  readWhole(path: string, lengthMax: number): Uint8Array
  /** Opens a file: an existing one to read, any one to write, or an empty one. Only its owner can read a new file. */
  open(path: string, how: 'read' | 'write' | 'empty'): DiskFile
  /** Gives a file a second name. Throws EEXIST if the name is in use. */
  link(path: string, second: string): void
  rename(path: string, to: string): void
  /** Does nothing if there is no such file. */
  remove(path: string): void
  /** Returns when the names in a directory are durable. */
  syncDirectory(path: string): void
}

/** Returns the code of a system error, such as ENOSPC; undefined for other errors. */
export function systemCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Writes all of `source`. Throws. */
export function writeAll(file: DiskFile, source: Uint8Array, position: number): void {
  for (let done = 0; done < source.length;) done += file.write(source.subarray(done), position + done)
}

/** Fills `target`. Resolves with false if the file ends before. */
export async function readAll(file: DiskFile, target: Uint8Array, position: number): Promise<boolean> {
  for (let done = 0; done < target.length;) {
    const count = await file.read(target.subarray(done), position + done)
    if (count === 0) return false
    done += count
  }
  return true
}

/** Writes a small file that is there whole or not at all, and then durable. Throws. */
export function writeWhole(disk: Disk, directory: string, name: string, content: Uint8Array): void {
  const unfinished = `${directory}/${name}${unfinishedSuffix}`
  writeDurably(disk, unfinished, content)
  disk.rename(unfinished, `${directory}/${name}`)
  disk.syncDirectory(directory)
}

/** Writes and syncs a file of its own. Throws. */
export function writeDurably(disk: Disk, path: string, content: Uint8Array): void {
  const file = disk.open(path, 'empty')
  try {
    writeAll(file, content, 0)
    file.sync()
  } finally {
    file.close()
  }
}

/** Ends the name of a file that is being written. */
export const unfinishedSuffix = '.new'
