/** Keeps memory that shows files in this process, and checks that it shows none when it is released. */
import { ptr } from 'bun:ffi'
import { readFileSync } from 'node:fs'
import { type MemoryKeeper, type ShownState, stateOfShown } from '../../../../lib/map/index.ts'

/** Of all tests of the process: a released buffer may be freed, one that a defect releases too early must not crash it. */
const forever = new Set<SharedArrayBuffer>()

export class RecordingKeeper implements MemoryKeeper {
  readonly kept = new Set<SharedArrayBuffer>()
  /** Whether check() stands for another thread, and how often it did. */
  checks = false
  checked = 0
  /** Mappings of files in memory that was released. */
  readonly released: string[] = []
  readonly #all = new Set<SharedArrayBuffer>()
  readonly #refuses: boolean

  constructor(refuses = false) {
    this.#refuses = refuses
  }

  keep(buffer: SharedArrayBuffer): Promise<boolean> {
    forever.add(buffer)
    this.#all.add(buffer)
    if (shownIn(buffer).length > 0) throw new Error('the memory shows a file before it is kept')
    if (!this.#refuses) this.kept.add(buffer)
    return Promise.resolve(!this.#refuses)
  }

  check(memory: Uint8Array<SharedArrayBuffer>, sum: string): Promise<ShownState> | undefined {
    if (!this.checks) return undefined
    if (!this.kept.has(memory.buffer)) throw new Error('memory is checked that is not kept')
    this.checked++
    return Promise.resolve(stateOfShown(memory, sum))
  }

  release(buffer: SharedArrayBuffer): void {
    this.kept.delete(buffer)
    this.released.push(...shownIn(buffer))
  }

  /** Mappings of files in memory that is kept, or was. */
  get shown(): string[] {
    return [...this.#all].flatMap(shownIn)
  }
}

/** Returns the files that a buffer shows, one for each mapping, as /proc knows them. */
export function shownIn(buffer: SharedArrayBuffer): string[] {
  const start = ptr(new Uint8Array(buffer))
  const end = start + buffer.byteLength
  const found: string[] = []
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line) ?? []
    if (path !== undefined && Number.parseInt(from!, 16) < end && Number.parseInt(to!, 16) > start) found.push(path)
  }
  return found
}
