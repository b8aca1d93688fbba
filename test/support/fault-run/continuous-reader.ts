/** Looks keys up all the time, over restarts of the store, one by one and together by turns, and notes every answer. */
import type { LatchkeyProcess } from '../binary/latchkey-process.ts'
import type { Read } from './history.ts'

/** Keys asked for at the same time; each key only once, so that the answers to one key have an order. */
const keysAtOnce = 16
const pauseMs = 2

export interface Target {
  process: LatchkeyProcess
  instance: number
}

/** Values of the workload are JSON without white space, so they are embedded. */
interface ManyAnswer {
  entries: { key: string; value: unknown; partition: number; offset: number }[]
  missing: { key: string; code: string }[]
}

export class ContinuousReader {
  readonly reads: Read[] = []
  /** Answers that are neither 200 nor 404. */
  readonly refusals: string[] = []
  /** Requests that got no answer at all. */
  unanswered = 0
  readonly #storeId: string
  readonly #keys: readonly string[]
  readonly #target: () => Target | undefined
  #answers = 0
  #running: Promise<void> | undefined
  #stopping = false

  /** @param target whom to ask now */
  constructor(storeId: string, keys: readonly string[], target: () => Target | undefined) {
    this.#storeId = storeId
    this.#keys = keys
    this.#target = target
  }

  start(): void {
    this.#stopping = false
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #run(): Promise<void> {
    let isTogether = false
    for (let next = 0; !this.#stopping; next = (next + keysAtOnce) % this.#keys.length) {
      isTogether = !isTogether
      const target = this.#target()
      const url = target?.process.url
      if (target !== undefined && url !== undefined) {
        const keys = this.#keys.slice(next, next + keysAtOnce)
        await (isTogether
          ? this.#readTogether(keys, url, target.instance)
          : Promise.all(keys.map((key) => this.#read(key, url, target.instance))))
      }
      await Bun.sleep(pauseMs)
    }
  }

  async #read(key: string, url: string, instance: number): Promise<void> {
    try {
      const answer = await fetch(`${url}/stores/${this.#storeId}/${key}`)
      const text = await answer.text()
      const answeredAt = performance.now()
      if (answer.status === 200) {
        const src = Number(answer.headers.get('x-kafka-offset') ?? -1)
        const partition = Number(answer.headers.get('x-kafka-partition'))
        this.reads.push({ key, value: text, src, partition, instance, answeredAt })
      } else if (answer.status === 404) {
        this.reads.push({ key, value: null, src: -1, partition: -1, instance, answeredAt })
      } else this.#refused(`${answer.status} ${text}`)
    } catch {
      this.unanswered++
    }
  }

  async #readTogether(keys: readonly string[], url: string, instance: number): Promise<void> {
    try {
      const query = keys.map((key) => `keys=${encodeURIComponent(key)}`).join('&')
      const answer = await fetch(`${url}/stores/${this.#storeId}?${query}`)
      const text = await answer.text()
      const answeredAt = performance.now()
      if (answer.status !== 200) return this.#refused(`${answer.status} ${text}`)
      const { entries, missing } = JSON.parse(text) as ManyAnswer
      const seen = { instance, answeredAt, answer: this.#answers++ }
      for (const { key, value, partition, offset } of entries) {
        this.reads.push({ key, value: JSON.stringify(value), src: offset, partition, ...seen })
      }
      for (const { key, code } of missing) {
        if (code === 'key_not_found') this.reads.push({ key, value: null, src: -1, partition: -1, ...seen })
        else this.#refused(`${code} for ${key}`)
      }
    } catch {
      this.unanswered++
    }
  }

  #refused(answer: string): void {
    if (this.refusals.length < 1_000) this.refusals.push(answer)
  }
}
