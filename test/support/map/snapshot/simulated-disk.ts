/**
 * A disk in memory. It knows what is durable: what was synced, and of the rest any part, as the seed of a power loss has it.
 * A file's content and the names in a directory are synced apart, as POSIX has it.
 */
import type { Disk, DiskFile } from '../../../../lib/map/snapshot/disk.ts'

/** Sectors are written whole. */
const sectorBytes = 512

interface Write {
  readonly position: number
  /** Undefined if the file was truncated to `position`. */
  readonly bytes: Uint8Array | undefined
}

class Content {
  bytes = new Uint8Array()
  durable = new Uint8Array()
  unsynced: Write[] = []

  apply(write: Write): void {
    this.bytes = applied(this.bytes, write)
    this.unsynced.push(write)
  }

  sync(): void {
    for (const write of this.unsynced) this.durable = applied(this.durable, write)
    this.unsynced = []
  }

  /** As Linux: what was to be written counts as written afterwards, wherever it is. */
  failSync(): void {
    this.unsynced = []
  }

  /** @param random below 1; of each unsynced write a part of the sectors is kept */
  losePower(random: () => number): void {
    for (const { position, bytes } of this.unsynced) {
      const fate = random()
      if (fate < 1 / 3) continue
      if (bytes === undefined || fate < 2 / 3) {
        this.durable = applied(this.durable, { position, bytes })
        continue
      }
      for (let start = 0; start < bytes.length;) {
        const end = Math.min(bytes.length, start + sectorBytes - ((position + start) % sectorBytes))
        const sector = { position: position + start, bytes: bytes.subarray(start, end) }
        if (random() < 0.5) this.durable = applied(this.durable, sector)
        start = end
      }
    }
    this.bytes = this.durable.slice()
    this.unsynced = []
  }
}

function applied(before: Uint8Array, { position, bytes }: Write): Uint8Array<ArrayBuffer> {
  const length = bytes === undefined ? position : Math.max(before.length, position + bytes.length)
  const after = new Uint8Array(length)
  after.set(before.subarray(0, length))
  if (bytes !== undefined) after.set(bytes, position)
  return after
}

type NameChange = (names: Map<string, Content>) => void

class Directory {
  names = new Map<string, Content>()
  durable = new Map<string, Content>()
  unsynced: NameChange[] = []

  change(change: NameChange): void {
    change(this.names)
    this.unsynced.push(change)
  }

  sync(): void {
    this.durable = new Map(this.names)
    this.unsynced = []
  }

  losePower(random: () => number): void {
    for (const change of this.unsynced) if (random() < 0.5) change(this.durable)
    this.names = new Map(this.durable)
    this.unsynced = []
  }
}

/** Thrown at the operation at which the power is lost. */
export class PowerLoss extends Error {}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}

/** An operation that changes something: its name, and the path. */
export type Operation =
  'makeDirectory' | 'open' | 'write' | 'truncate' | 'sync' | 'link' | 'rename' | 'remove' | 'syncDirectory'

export class SimulatedDisk implements Disk {
  readonly #directories = new Map<string, Directory>()
  /** Operations so far that change something. */
  operations = 0
  /** Called before each operation that changes something. May throw. */
  before: (operation: Operation, path: string) => void = () => {}
  /** Files whose sync does nothing, as a disk that lies. */
  lies: (path: string) => boolean = () => false
  /** The file that is opened instead of another. */
  alias: (path: string) => string = (path) => path
  /** Maximum of one write, to see short ones. */
  writeMax = Number.POSITIVE_INFINITY
  readMax = Number.POSITIVE_INFINITY

  makeDirectory(path: string): void {
    this.#begin('makeDirectory', path)
    if (!this.#directories.has(path)) this.#directories.set(path, new Directory())
  }

  checkOwner(): void {}

  list(path: string): string[] {
    return [...(this.#directories.get(path)?.names.keys() ?? [])]
  }

  readWhole(path: string, lengthMax: number): Uint8Array {
    const { bytes } = this.content(path)
    if (bytes.length > lengthMax) throw systemError('EFBIG')
    return bytes.slice()
  }

  open(name: string, how: 'read' | 'write' | 'empty'): DiskFile {
    return this.#open(this.alias(name), how)
  }

  #open(path: string, how: 'read' | 'write' | 'empty'): DiskFile {
    if (how === 'read') return this.#file(path, this.content(path))
    this.#begin('open', path)
    const [directory, name] = this.#split(path)
    if (how === 'empty' || !directory.names.has(name)) {
      const made = new Content()
      const before = directory.names.get(name)
      if (before === undefined) directory.change((names) => names.set(name, made))
      else before.apply({ position: 0, bytes: undefined })
    }
    return this.#file(path, directory.names.get(name)!)
  }

  link(path: string, second: string): void {
    this.#begin('link', second)
    const content = this.content(path)
    const [directory, name] = this.#split(second)
    if (directory.names.has(name)) throw systemError('EEXIST')
    directory.change((names) => names.set(name, content))
  }

  rename(path: string, to: string): void {
    this.#begin('rename', to)
    const content = this.content(path)
    const [directory, from] = this.#split(path)
    const [, name] = this.#split(to)
    directory.change((names) => {
      names.delete(from)
      names.set(name, content)
    })
  }

  remove(path: string): void {
    this.#begin('remove', path)
    const [directory, name] = this.#split(path)
    if (directory.names.has(name)) directory.change((names) => names.delete(name))
  }

  syncDirectory(path: string): void {
    this.#begin('syncDirectory', path)
    this.#directories.get(path)!.sync()
  }

  /** What is not durable is lost, or kept, or kept in part. */
  losePower(random: () => number): void {
    for (const directory of this.#directories.values()) {
      directory.losePower(random)
      for (const content of new Set(directory.names.values())) content.losePower(random)
    }
  }

  content(path: string): Content {
    const [directory, name] = this.#split(path)
    const content = directory.names.get(name)
    if (content === undefined) throw systemError('ENOENT')
    return content
  }

  #file(path: string, content: Content): DiskFile {
    return {
      length: () => content.bytes.length,
      show: () => false,
      read: async (target, position) => {
        const part = content.bytes.subarray(position, position + Math.min(target.length, this.readMax))
        target.set(part)
        return part.length
      },
      write: (source, position) => {
        this.#begin('write', path)
        const part = source.slice(0, this.writeMax)
        content.apply({ position, bytes: part })
        return part.length
      },
      truncate: (length) => {
        this.#begin('truncate', path)
        content.apply({ position: length, bytes: undefined })
      },
      sync: () => {
        try {
          this.#begin('sync', path)
        } catch (error) {
          content.failSync()
          throw error
        }
        if (!this.lies(path)) content.sync()
      },
      close: () => {},
    }
  }

  #begin(operation: Operation, path: string): void {
    this.before(operation, path)
    this.operations++
  }

  #split(path: string): [Directory, string] {
    const slash = path.lastIndexOf('/')
    const directory = this.#directories.get(path.slice(0, slash))
    if (directory === undefined) throw systemError('ENOENT')
    return [directory, path.slice(slash + 1)]
  }
}
