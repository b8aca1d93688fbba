/** Who has to forget a key when it changes: clients that have read it, and those that follow its prefix. */
import type { Presentation } from '../../definition/presentation.ts'
import { CommandError } from '../error-reply.ts'
import { bytesOf, hasPrefix } from './encoded.ts'
import { latestKeysMax, prefixesMax } from './push-limits.ts'
import type { PushQueue } from './push-queue.ts'
import { type KeyReader, TrackedKeys, type TrackedKeysOptions } from './tracked-keys.ts'

interface Prefix {
  readonly bytes: Uint8Array
  readonly queues: Set<PushQueue>
}

export class Tracking {
  readonly #keys: TrackedKeys
  /** Of the default mode. */
  readonly #readers = new Map<PushQueue, KeyReader>()
  /** Of the broadcast mode, by prefix. */
  readonly #prefixes = new Map<string, Prefix>()
  readonly #presentation: Presentation
  /** The key that changes, as clients write it. */
  #shown: Uint8Array | undefined

  constructor(options: TrackedKeysOptions, presentation: Presentation) {
    this.#keys = new TrackedKeys(options)
    this.#presentation = presentation
  }

  get isUsed(): boolean {
    return this.#readers.size + this.#prefixes.size > 0
  }

  /** A client tracks the keys that it reads. */
  addReader(queue: PushQueue): void {
    if (this.#readers.has(queue)) return
    const reader: KeyReader = { forget: (key) => this.#forget(key, reader, queue) }
    this.#readers.set(queue, reader)
  }

  /**
   * A client tracks the keys with some prefixes.
   * @throws CommandError; then none was added
   */
  addPrefixes(texts: readonly string[], queue: PushQueue): void {
    const added = texts.filter((text) => !this.#prefixes.has(text)).length
    if (this.#prefixes.size + added > prefixesMax) {
      const found = `${this.#prefixes.size} other prefixes are tracked already, and there may be ${prefixesMax}`
      throw new CommandError(`ERR CLIENT TRACKING: ${found}; use fewer prefixes, or the default mode`)
    }
    for (const text of texts) {
      const prefix = this.#prefixes.get(text) ?? { bytes: bytesOf(text), queues: new Set() }
      this.#prefixes.set(text, prefix)
      prefix.queues.add(queue)
    }
  }

  remove(queue: PushQueue): void {
    const reader = this.#readers.get(queue)
    if (reader !== undefined) this.#keys.removeReader(reader)
    this.#readers.delete(queue)
    for (const [text, { queues }] of this.#prefixes) {
      if (queues.delete(queue) && queues.size === 0) this.#prefixes.delete(text)
    }
    queue.dropInvalidations()
  }

  /**
   * A client is about to read a key: to be called before it is read, or else a change in between would be lost.
   * @param key one character for each byte, as it is stored
   */
  reads(key: string, queue: PushQueue): void {
    const reader = this.#readers.get(queue)
    if (reader !== undefined) this.#keys.add(key, reader)
  }

  wants(data: Uint8Array, start: number, length: number): boolean {
    if (this.#keys.mayHave(data, start, length)) return true
    if (!this.#presentation.hasPlainKeys) return this.#prefixes.size > 0
    for (const { bytes } of this.#prefixes.values()) if (hasPrefix(data, start, length, bytes)) return true
    return false
  }

  /**
   * A key has changed.
   * @param key one character for each byte, as it is stored
   * @param shown as clients write it
   */
  changed(key: string, shown: Uint8Array): void {
    this.#shown = shown
    this.#keys.changed(key)
    this.#shown = undefined
    for (const { bytes, queues } of this.#prefixes.values()) {
      if (!hasPrefix(shown, 0, shown.length, bytes)) continue
      for (const queue of queues) queue.invalidate(key, shown)
    }
  }

  /**
   * Any key may have changed. The keys that a client has read last are named as well: node-redis would keep a value
   * whose reply arrives together with an invalidation of everything.
   */
  everythingChanged(): void {
    for (const [queue, reader] of this.#readers) queue.invalidateEverything(this.#latestOf(reader))
    this.#keys.clear()
    for (const { queues } of this.#prefixes.values()) for (const queue of queues) queue.invalidateEverything()
  }

  *#latestOf(reader: KeyReader): Iterable<readonly [string, Uint8Array]> {
    for (const key of this.#keys.latestOf(reader, latestKeysMax)) {
      const shown = this.#presentation.hasPlainKeys ? bytesOf(key) : shownAtOnce(this.#presentation, bytesOf(key))
      if (shown !== undefined) yield [key, shown]
    }
  }

  #forget(key: string, reader: KeyReader, queue: PushQueue): void {
    const shown = this.#shown ?? (this.#presentation.hasPlainKeys ? bytesOf(key) : undefined)
    if (shown !== undefined) return queue.invalidate(key, shown)
    // Dropped beyond the bound, and its text would have to be made first.
    this.#keys.removeReader(reader)
    queue.invalidateEverything()
  }
}

/** Returns undefined if a schema has to be fetched first, or the key is not of the format. */
function shownAtOnce(presentation: Presentation, key: Uint8Array): Uint8Array | undefined {
  try {
    const text = presentation.keyText(key)
    if (!(text instanceof Promise)) return text
    text.catch(() => {})
    return undefined
  } catch {
    return undefined
  }
}
