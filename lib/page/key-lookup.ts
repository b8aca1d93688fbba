/** The key that is looked up, and perhaps watched. */
import { messageOf } from './api.ts'
import { follow } from './follow.ts'
import { encodedKey, type ShownKey } from './keys.ts'
import { type FoundValue, lookUp, type MissingValue } from './lookup.ts'
import { Part } from './part.ts'

/** Between two lookups of a key that changes all the time. */
const pauseMs = 250

export class KeyLookup extends Part {
  key: ShownKey | undefined
  /** Undefined until the first answer for the key. */
  result: FoundValue | MissingValue | undefined
  isLive = false
  /** Seen since the watch began. */
  changes = 0
  /** Why the key is not followed at the moment. */
  fault = ''
  /** The whole of a long value is shown. */
  isWhole = false
  #end = new AbortController()
  #unfollow: (() => void) | undefined
  #isBusy = false
  #isStale = false

  ask(key: ShownKey | undefined): void {
    if (this.key !== key) this.result = undefined
    this.key = key
    this.isWhole = false
    this.watch(this.isLive && key !== undefined)
  }

  /** Looks the key up, and again after each change. */
  watch(isLive: boolean): void {
    this.pause()
    this.isLive = isLive
    this.changes = 0
    this.resume()
  }

  showWhole(): void {
    this.isWhole = true
    this.draw()
  }

  /** While the page is hidden. */
  pause(): void {
    this.#end.abort()
    this.#unfollow?.()
  }

  resume(): void {
    const { key } = this
    this.draw()
    if (key === undefined) return
    this.#end = new AbortController()
    this.#isBusy = false
    void this.#refresh(key)
    if (this.isLive) this.#follow(key)
  }

  #follow(key: ShownKey): void {
    this.#unfollow = follow(this.api, {
      path: () => this.api.pathOf('changes', `?keys=${encodedKey(key)}&values=false`),
      opened: () => {
        this.fault = ''
        void this.#refresh(key)
      },
      take: (events) => {
        this.changes += events.filter(({ type }) => type !== 'status').length
        if (events.length > 0) void this.#refresh(key)
        return true
      },
      failed: (error) => {
        this.fault = messageOf(error)
        this.draw()
      },
    })
  }

  /** One lookup at a time. What changes meanwhile makes one more, not one for each change. */
  async #refresh(key: ShownKey): Promise<void> {
    this.#isStale = true
    if (this.#isBusy) return
    this.#isBusy = true
    const { signal } = this.#end
    try {
      while (this.#isStale) {
        this.#isStale = false
        this.result = await lookUp(this.api, key, signal)
        this.draw()
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
        if (signal.aborted) return
      }
      this.#isBusy = false
    } catch {
      // Another key is asked for.
    }
  }
}
