/** Lookups all the while, at every instance that is ready, as clients behind a load balancer do. */
import type { Feed } from './feed.ts'
import { urlOf } from './requests.ts'

const pollMs = 50
const pauseMs = 3
const timeoutMs = 5_000
const failuresMax = 5

export class Lookups {
  answered = 0
  failed = 0
  /** The first ones. */
  readonly failures: string[] = []
  readonly #storeId: string
  readonly #feed: Feed
  readonly #bases: readonly string[]
  readonly #ready = new Set<string>()
  #running: Promise<unknown> | undefined
  #stopping = false

  /** @param bases of all instances that may ever run */
  constructor(bases: readonly string[], storeId: string, feed: Feed) {
    this.#bases = bases
    this.#storeId = storeId
    this.#feed = feed
  }

  start(): void {
    this.#running = Promise.all([...this.#bases.map((base) => this.#watch(base)), this.#look()])
  }

  /** It gets no more lookups: it is about to be killed. */
  leaveOut(base: string): void {
    this.#ready.delete(base)
  }

  async close(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #watch(base: string): Promise<void> {
    while (!this.#stopping) {
      const answer = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(timeoutMs) }).catch(() => undefined)
      await answer?.body?.cancel()
      if (answer?.ok) this.#ready.add(base)
      else this.#ready.delete(base)
      await Bun.sleep(pollMs)
    }
  }

  async #look(): Promise<void> {
    // These do not change any more.
    const keys = this.#feed.book.delivered('web')
    for (let turn = 0; !this.#stopping; turn++) {
      const ready = [...this.#ready]
      const key = keys[turn % keys.length]!
      const base = ready[turn % ready.length]
      if (base !== undefined) await this.#lookUp(base, key)
      await Bun.sleep(pauseMs)
    }
  }

  async #lookUp(base: string, key: string): Promise<void> {
    const found = await fetch(urlOf(base, this.#storeId, key), { signal: AbortSignal.timeout(timeoutMs) }).then(
      async (answer) => ({ status: answer.status, body: await answer.text() }),
      (error: Error) => ({ status: 0, body: error.message }),
    )
    if (found.status === 200 && found.body === this.#feed.book.latest.get(key)) this.answered++
    // One that was killed owes no answer.
    else if (found.status !== 0 || this.#ready.has(base)) this.#fail(`${base}: ${key}: ${found.status} ${found.body}`)
  }

  #fail(what: string): void {
    this.failed++
    if (this.failures.length < failuresMax) this.failures.push(what)
  }
}
