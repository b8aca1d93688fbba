/**
 * A part of a feed that another instance serves. It is asked for a batch when the client waits for one, and holds that one
 * until the client takes it. What the other instance sends is not trusted.
 */
import { LatchkeyError } from '../../errors.ts'
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent, Following, Resumed } from '../../store-protocol/following.ts'
import type { PartOptions } from './part-options.ts'
import { laterPlace, placeIn } from './places.ts'

export class LinkedPart implements Following {
  readonly number: number
  readonly options: PartOptions
  resumed: Resumed | undefined
  /** Resolves when the other instance serves it. */
  readonly opened: Promise<void>
  readonly #opening = Promise.withResolvers<void>()
  readonly #partitions: ReadonlySet<number>
  /** Made for the first change of a key: most keys do not change. */
  #keys: ReadonlySet<string> | undefined
  readonly #ready: () => void
  readonly #closed: () => void
  #batch: ChangeBatch | undefined
  #place: ChangeId | undefined
  /** Of a batch; `asked` from when the other instance knows it. */
  #wish: 'none' | 'new' | 'asked' = 'none'
  #error: LatchkeyError | undefined

  /**
   * @param ready called when next() may return or throw something
   * @param closed called when it is closed here
   */
  constructor(number: number, options: PartOptions, ready: () => void, closed: () => void) {
    this.number = number
    this.options = options
    this.opened = this.#opening.promise
    // Its end may come before anyone waits for it.
    this.opened.catch(() => {})
    this.#partitions = new Set(options.partitions)
    this.#ready = ready
    this.#closed = closed
  }

  /** The client waits for a batch. */
  get isWanted(): boolean {
    return this.#wish !== 'none'
  }

  /** @returns whether a batch is to be asked for: once each time */
  takeWish(): boolean {
    if (this.#wish !== 'new') return false
    this.#wish = 'asked'
    return true
  }

  get place(): ChangeId | undefined {
    return this.#batch === undefined ? this.#place : undefined
  }

  async next(): Promise<ChangeBatch | undefined> {
    const batch = this.#batch
    if (batch !== undefined) {
      this.#batch = undefined
      this.#place = typeof batch.place === 'object' ? batch.place : undefined
      return batch
    }
    if (this.#error !== undefined) throw this.#error
    if (this.#wish === 'none') this.#wish = 'new'
    return undefined
  }

  close(): void {
    this.ended(new LatchkeyError('stopping', 'Following changes: the feed was closed'))
    this.#closed()
  }

  /** The other instance serves it. */
  begun(resumed: Resumed | undefined, place: ChangeId | undefined): void {
    this.resumed = resumed
    this.took(place)
    this.#opening.resolve()
  }

  /** Takes a batch. @returns false if it cannot be one of this part */
  received({ events, place }: ChangeBatch): boolean {
    if (this.#wish !== 'asked' || !events.every((event, index) => this.#isOwn(event, index))) return false
    this.#wish = 'none'
    this.#batch = { events, place: typeof place === 'object' ? this.#later(place) : place }
    this.#ready()
    return true
  }

  /** Everything up to a place has been received. */
  took(place: ChangeId | undefined): void {
    if (place !== undefined && this.#batch === undefined) this.#place = this.#later(place)
  }

  ended(error: LatchkeyError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#opening.reject(error)
    this.#ready()
  }

  /** A time that is ahead of ours would have the place count for longer than the changelog keeps deletions. */
  #later(place: ChangeId): ChangeId {
    const { from } = this.options
    const own = { ...placeIn(place, this.#partitions), time: Math.min(place.time, Date.now()) }
    return laterPlace(this.#place ?? (typeof from === 'object' ? from : undefined), own)
  }

  /** A listing begins with the first event of a batch. */
  #isOwn(event: ChangeEvent, index: number): boolean {
    switch (event.type) {
      case 'reset':
        return index === 0
      case 'status':
        return this.#partitions.has(event.partition)
      case 'put':
        return this.#partitions.has(event.entry.partition) && this.#isWantedKey(event.entry.key)
      case 'delete':
        return this.#partitions.has(event.partition) && this.#isWantedKey(event.key)
    }
  }

  #isWantedKey(key: Uint8Array): boolean {
    const { keys, prefix } = this.options
    if (keys === undefined) return prefix?.every((byte, at) => key[at] === byte) ?? true
    this.#keys ??= new Set(keys.map(latin1))
    return this.#keys.has(latin1(key))
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
