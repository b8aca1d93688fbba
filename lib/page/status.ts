/** The status of the store, from its stream of events, and the token that the stream may need. */
import type { Rates, StatusEvent } from '../http/status-events/status-event.ts'
import { messageOf, ServerRefusal } from './api.ts'
import { follow } from './follow.ts'
import { Part } from './part.ts'
import { appended } from './series.ts'

export class PageStatus extends Part {
  /** The last event; undefined before the first one. */
  event: StatusEvent | undefined
  rates: readonly Rates[] = []
  /** Since when there is no connection, and why; undefined while there is one. */
  lost: { readonly sinceMs: number; readonly why: string } | undefined
  /** Undefined unless a token is needed; true if the one that was sent is wrong. */
  asks: boolean | undefined
  #unfollow: (() => void) | undefined

  sendToken(token: string): void {
    this.api.token = token
    this.asks = undefined
    this.follow(true)
  }

  follow(isSeen: boolean): void {
    this.#unfollow?.()
    this.#unfollow = undefined
    if (isSeen && this.asks === undefined) this.#unfollow = follow(this.api, this.#stream)
    this.draw()
  }

  readonly #stream = {
    path: async (signal: AbortSignal) => {
      await this.api.identify(signal)
      return this.api.pathOf('status-store', '/events')
    },
    opened: () => {},
    take: (events: readonly { type: string; data: string }[]) => {
      for (const { type, data } of events) {
        if (type !== 'status') continue
        this.event = JSON.parse(data) as StatusEvent
        this.rates = appended(this.event.history ?? this.rates, this.event.rates)
        this.lost = undefined
        this.draw()
      }
      return true
    },
    failed: (error: unknown) => {
      if (error instanceof ServerRefusal && error.status === 401) {
        this.asks = this.api.token !== ''
        this.api.token = ''
      } else this.lost = { sinceMs: this.lost?.sinceMs ?? Date.now(), why: messageOf(error) }
      this.draw()
    },
  }
}
