/** A client that folds the changes that it follows. It may be killed: then it has what it had when it last named a place. */
import { type ChangeId, formatChangeId, parseChangeId } from '../../../../lib/store-protocol/change-id.ts'
import type { ChangeEvent, FollowedKeys, Following } from '../../../../lib/store-protocol/following.ts'
import type { Store } from '../../../../lib/store/store.ts'
import { Random } from '../../random.ts'

interface Saved {
  readonly held: ReadonlyMap<string, string>
  readonly offsets: ReadonlyMap<string, number>
  readonly place: ChangeId | 'start' | undefined
}

export class FollowingClient {
  held = new Map<string, string>()
  /** Highest offset of each key's values: no key goes back. */
  offsets = new Map<string, number>()
  readonly counts = { reset: 0, put: 0, delete: 0, status: 0, ring: 0, changelog: 0 }
  place: ChangeId | 'start' | undefined
  #follower: Following | undefined
  #isReady = true
  #instance = ''
  readonly #random: Random
  #saved: Saved = { held: new Map(), offsets: new Map(), place: undefined }

  constructor(random = new Random(0)) {
    this.#random = random
  }

  /** @param instance name of the one that the store is */
  async connect(
    store: Store,
    filter: FollowedKeys,
    from: 'now' | 'start' = 'start',
    instance = 'primary',
  ): Promise<void> {
    this.#follower?.close()
    this.#isReady = true
    // Another instance may be behind: a value is sent as the instance has it, and may be newer than the place says.
    if (instance !== this.#instance) this.offsets.clear()
    this.#instance = instance
    const options = { ...filter, from: this.place ?? from, withValues: true }
    this.#follower = await store.changes.follow(options, () => (this.#isReady = true))
    const { resumed } = this.#follower
    if (resumed === 'ring' || resumed === 'changelog') this.counts[resumed]++
  }

  /** Takes up to `max` batches. Returns whether there may be more. */
  async take(max: number): Promise<boolean> {
    for (let i = 0; i < max; i++) {
      if (!this.#isReady) return false
      this.#isReady = false
      const batch = await this.#follower!.next()
      if (batch === undefined) return this.#isReady
      this.#isReady = true
      for (const event of batch.events) this.#apply(event)
      // Through its text, as a client names it.
      if (batch.place === 'start') this.place = 'start'
      else if (batch.place !== undefined) this.place = parseChangeId(formatChangeId(batch.place))
      if (batch.place !== undefined && this.#random.below(3) === 0) this.save()
    }
    return true
  }

  /** Takes everything that there is, also what a request of the changelog brings. @param isIdle whether none is under way */
  async settle(isIdle: () => boolean): Promise<void> {
    for (;;) {
      while (await this.take(100));
      await new Promise(setImmediate)
      if (isIdle() && !this.#isReady) return
    }
  }

  save(): void {
    this.#saved = { held: new Map(this.held), offsets: new Map(this.offsets), place: this.place }
  }

  /** Loses what was not saved. */
  kill(): void {
    this.close()
    const { held, offsets, place } = this.#saved
    this.held = new Map(held)
    this.offsets = new Map(offsets)
    this.place = place
  }

  close(): void {
    this.#follower?.close()
  }

  #apply(event: ChangeEvent): void {
    this.counts[event.type]++
    if (event.type === 'reset') this.held.clear()
    if (event.type === 'put') {
      this.#see(event.entry.key, event.entry.offset)
      this.held.set(textOf(event.entry.key), textOf(event.entry.value))
    }
    // Its offset may be lower than one that was seen: the key was put and deleted again after it.
    if (event.type === 'delete') this.held.delete(textOf(event.key))
  }

  #see(key: Uint8Array, offset: number): void {
    const text = textOf(key)
    if (offset < (this.offsets.get(text) ?? -1)) throw new Error(`${text} goes back to ${offset}`)
    this.offsets.set(text, offset)
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
