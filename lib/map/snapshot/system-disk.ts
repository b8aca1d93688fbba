/** The file system of the machine. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  read,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { showFile } from '../../linux/mapped-memory.ts'
import { checkOwner, openRegular } from '../../linux/own-files.ts'
import { type Disk, type DiskFile, systemCodeOf } from './disk.ts'

const ownerOnly = 0o600
const directoryOwnerOnly = 0o700
const flags = {
  read: constants.O_RDONLY,
  write: constants.O_RDWR | constants.O_CREAT,
  empty: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
}

export const systemDisk: Disk = {
  makeDirectory(path) {
    const first = mkdirSync(path, { recursive: true, mode: directoryOwnerOnly })
    if (first === undefined) return
    for (let made = path; made.length >= first.length; made = dirname(made)) systemDisk.syncDirectory(dirname(made))
  },

  checkOwner: (path) => checkOwner(path),

  list(path) {
    try {
      return readdirSync(path)
    } catch (error) {
      if (systemCodeOf(error) === 'ENOENT') return []
      throw error
    }
  },

  readWhole(path, lengthMax) {
    const descriptor = openRegular(path, constants.O_RDONLY)
    try {
      const { size } = fstatSync(descriptor)
      if (size > lengthMax) throw Object.assign(new Error(`EFBIG: ${path} has ${size} bytes`), { code: 'EFBIG' })
      const content = new Uint8Array(size)
      return content.subarray(0, readSync(descriptor, content, 0, size, 0))
    } finally {
      closeSync(descriptor)
    }
  },

  open(path, how) {
    return new SystemFile(openRegular(path, flags[how], ownerOnly))
  },

  link: linkSync,
  rename: renameSync,

  remove(path) {
    rmSync(path, { force: true })
  },

  syncDirectory(path) {
    const descriptor = openSync(path, 'r')
    try {
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  },
}

class SystemFile implements DiskFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  length(): number {
    return fstatSync(this.#descriptor).size
  }

  show(memory: Uint8Array, position: number): boolean {
    return showFile(memory, this.#descriptor, position)
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor, target, 0, target.length, position, (error, count) => {
        if (error === null) resolve(count)
        else reject(error)
      })
    })
  }

  write(source: Uint8Array, position: number): number {
    const count = writeSync(this.#descriptor, source, 0, source.length, position)
    if (count > 0) return count
    throw Object.assign(new Error('EIO: write returned 0'), { code: 'EIO' })
  }

  truncate(length: number): void {
    ftruncateSync(this.#descriptor, length)
  }

  sync(): void {
    fsyncSync(this.#descriptor)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
