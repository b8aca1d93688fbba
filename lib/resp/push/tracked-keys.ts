/**
 * Keys that clients have read and may keep in their near caches: each is remembered until it changes. Beyond the bound
 * the oldest is dropped, and its clients have to forget it.
 */
import { KeyFilter } from './key-filter.ts'
import { trackedBytesMax, trackedKeysMax } from './push-limits.ts'

/** A client that tracks. */
export interface KeyReader {
  /** @param key one character for each byte, as it is stored */
  forget(key: string): void
}

export interface TrackedKeysOptions {
  /** Of all threads of the instance, which have equal parts of the bounds. */
  readonly threads: number
  /** Called when more keys are remembered, or fewer. */
  readonly counted: (added: number) => void
}

export class TrackedKeys {
  readonly #counted: (added: number) => void
  readonly #keysMax: number
  readonly #bytesMax: number
  /** By key, in the order in which it was read first. Most keys have one reader. */
  readonly #readers = new Map<string, KeyReader | Set<KeyReader>>()
  readonly #keysOf = new Map<KeyReader, Set<string>>()
  readonly #filter = new KeyFilter()
  /** Goes through the keys, and is kept: a new one would pass over all those that were removed. */
  #oldest = this.#readers.keys()
  /** A key counts once for each reader. */
  #count = 0
  #bytes = 0

  constructor({ threads, counted }: TrackedKeysOptions) {
    this.#counted = counted
    this.#keysMax = Math.floor(trackedKeysMax / threads)
    this.#bytesMax = Math.floor(trackedBytesMax / threads)
  }

  /** Number of distinct keys. */
  get size(): number {
    return this.#readers.size
  }

  add(key: string, reader: KeyReader): void {
    const keys = this.#keysOf.get(reader) ?? new Set()
    const isKnown = keys.delete(key)
    // The one that was read last takes the last place.
    this.#keysOf.set(reader, keys.add(key))
    if (isKnown) return
    const readers = this.#readers.get(key)
    if (readers === undefined) {
      this.#readers.set(key, reader)
      this.#filter.add(key)
      this.#bytes += key.length
    } else if (readers instanceof Set) readers.add(reader)
    else this.#readers.set(key, new Set([readers, reader]))
    this.#add(1)
    while (this.#count > this.#keysMax || this.#bytes > this.#bytesMax) this.#dropOldest()
  }

  /** Returns false if no client has read the key. */
  mayHave(data: Uint8Array, start: number, length: number): boolean {
    return this.#filter.mayHave(data, start, length)
  }

  /** The key has changed: its readers forget it. */
  changed(key: string): void {
    const readers = this.#readers.get(key)
    if (readers === undefined) return
    this.#removeKey(key)
    for (const reader of readers instanceof Set ? readers : [readers]) {
      this.#keysOf.get(reader)!.delete(key)
      this.#add(-1)
      reader.forget(key)
    }
  }

  removeReader(reader: KeyReader): void {
    const keys = this.#keysOf.get(reader)
    if (keys === undefined) return
    this.#keysOf.delete(reader)
    this.#add(-keys.size)
    for (const key of keys) {
      const readers = this.#readers.get(key)!
      if (!(readers instanceof Set)) this.#removeKey(key)
      else if (readers.delete(reader) && readers.size === 0) this.#removeKey(key)
    }
  }

  /** Returns the keys that a reader has read last, as far as they are remembered. */
  latestOf(reader: KeyReader, max: number): Iterable<string> {
    const keys = this.#keysOf.get(reader) ?? new Set<string>()
    return keys.values().drop(Math.max(0, keys.size - max))
  }

  /** Nothing is remembered any more. */
  clear(): void {
    this.#add(-this.#count)
    this.#keysOf.clear()
    this.#readers.clear()
    this.#filter.clear()
    this.#oldest = this.#readers.keys()
    this.#bytes = 0
  }

  #add(count: number): void {
    this.#count += count
    this.#counted(count)
  }

  #removeKey(key: string): void {
    this.#readers.delete(key)
    this.#filter.remove(key)
    this.#bytes -= key.length
  }

  #dropOldest(): void {
    let { value: key } = this.#oldest.next()
    if (key === undefined) {
      this.#oldest = this.#readers.keys()
      key = this.#oldest.next().value!
    }
    this.changed(key)
  }
}
