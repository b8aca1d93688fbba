/**
 * Numbers the messages to reader threads and tracks the version that each thread has confirmed. `need` records the
 * version that announced the memory of anything that becomes reachable for readers. A swap waits until all threads have
 * confirmed the highest recorded version.
 */
import { deadline } from '../../deadline.ts'
import { LatchkeyError } from '../../errors.ts'
import { confirmationMaxMs } from '../memory/limits.ts'
import type { GoneMessage, MapMessage, SlabMessage, TableMessage } from '../memory/map-messages.ts'

type Unversioned = Omit<SlabMessage, 'version'> | Omit<TableMessage, 'version'> | Omit<GoneMessage, 'version'>

export class Announcements {
  readonly #announce: (message: MapMessage) => void
  readonly #confirmed: number[]
  /** All slabs, and the latest table of each side and partition: the messages for a new reader. */
  readonly #current = new Map<string, MapMessage>()
  #version = 0
  #needed = 0
  #began = false
  #wake: (() => void) | undefined

  constructor(readerThreads: number, announce: (message: MapMessage) => void) {
    this.#announce = announce
    this.#confirmed = Array.from({ length: readerThreads }, () => 0)
  }

  get version(): number {
    return this.#version
  }

  get current(): readonly MapMessage[] {
    return [...this.#current.values()].toSorted((a, b) => a.version - b.version)
  }

  /**
   * Starts sending messages. Every reader thread receives the earlier messages with ChiralMapShared, so they count
   * as confirmed.
   */
  begin(): void {
    this.#began = true
    this.#confirmed.fill(this.#version)
  }

  announce(unversioned: Unversioned): number {
    const message = { ...unversioned, version: ++this.#version } as MapMessage
    const name =
      message.kind === 'slab' ? `slab ${message.firstSegment}` : `table ${message.side} ${message.partitionIndex}`
    if (message.kind === 'gone') this.#current.delete(name)
    else this.#current.set(name, message)
    if (this.#began) this.#announce(message)
    return message.version
  }

  need(version: number): void {
    if (version > this.#needed) this.#needed = version
  }

  confirmed(readerThread: number, version: number): void {
    const before = this.#confirmed[readerThread]
    if (before === undefined || !(version <= this.#version)) {
      throw new LatchkeyError(
        'internal',
        `confirm a map version: thread ${readerThread} confirmed ${version}, of ${this.#confirmed.length} threads and version ${this.#version}`,
      )
    }
    if (version > before) this.#confirmed[readerThread] = version
    this.#wake?.()
  }

  /**
   * Waits until all threads have confirmed the needed version. Rejects with flush_timed_out after confirmationMaxMs.
   * The caller can repeat the call.
   */
  async allConfirmed(): Promise<void> {
    const needed = this.#needed
    const until = performance.now() + confirmationMaxMs
    while (this.#confirmed.some((version) => version < needed)) {
      const leftMs = until - performance.now()
      if (leftMs <= 0) {
        throw new LatchkeyError(
          'flush_timed_out',
          `publish: reader threads have confirmed versions ${this.#confirmed.join(', ')} after ${confirmationMaxMs} ms, ${needed} is needed`,
        )
      }
      await this.#nextConfirmation(leftMs)
    }
  }

  async #nextConfirmation(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    await deadline(promise, timeoutMs, () => undefined)
    this.#wake = undefined
  }
}
