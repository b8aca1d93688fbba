/**
 * The last changes, while they are on the screen. A topic may have 100,000 a second: of each piece of the stream only the
 * events at its end are parsed, and a stream that brings more than can be shown is closed and opened again a second later.
 */
import { messageOf } from './api.ts'
import type { StreamEvent } from './event-stream.ts'
import { follow } from './follow.ts'
import type { ShownKey } from './keys.ts'
import { Part } from './part.ts'

export interface ShownChange {
  readonly number: number
  readonly isDelete: boolean
  readonly key: ShownKey
  readonly partition: number
  readonly offset: number | null
  readonly timestamp: number
  /** Of the value. */
  readonly bytes?: number
}

export const rowsMax = 50
/** Changes of a second, beyond which they are sampled. */
export const perSecondMax = 1_000
const showMs = 250

export class ChangeFeed extends Part {
  /** The newest first. */
  rows: readonly ShownChange[] = []
  isPaused = false
  /** Some changes of the last second were left out. */
  isSampled = false
  fault = ''
  #received = 0
  #second = 0
  #inSecond = 0
  #isOnScreen = false
  #isDue = false
  #unfollow: (() => void) | undefined

  pause(isPaused: boolean): void {
    this.isPaused = isPaused
    this.#follow()
    this.draw()
  }

  show(isOnScreen: boolean): void {
    if (isOnScreen === this.#isOnScreen) return
    this.#isOnScreen = isOnScreen
    this.#follow()
  }

  #follow(): void {
    this.#unfollow?.()
    this.#unfollow = undefined
    if (this.isPaused || !this.#isOnScreen) return
    this.#unfollow = follow(this.api, {
      path: () => this.api.pathOf('changes', '?values=false'),
      opened: () => this.#report(''),
      take: (events) => this.take(events, Date.now()),
      failed: (error) => this.#report(messageOf(error)),
    })
  }

  #report(fault: string): void {
    this.fault = fault
    this.draw()
  }

  #show(): void {
    this.#isDue = false
    this.draw()
  }

  /** @returns false if there are more than can be shown */
  take(events: readonly StreamEvent[], nowMs: number): boolean {
    const changes = events.filter(({ type }) => type === 'put' || type === 'delete')
    this.#received += changes.length
    const newest = changes
      .slice(-rowsMax)
      .toReversed()
      .map(({ type, data }, index): ShownChange => {
        const change = {
          timestamp: nowMs,
          ...(JSON.parse(data) as Omit<ShownChange, 'number' | 'isDelete' | 'timestamp'>),
        }
        return { ...change, number: this.#received - index, isDelete: type === 'delete' }
      })
    this.rows = [...newest, ...this.rows].slice(0, rowsMax)
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) this.#inSecond = 0
    this.#second = second
    this.#inSecond += changes.length
    this.isSampled = this.#inSecond > perSecondMax
    if (!this.#isDue) setTimeout(() => this.#show(), showMs)
    this.#isDue = true
    return !this.isSampled
  }
}
