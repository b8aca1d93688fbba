/** Looks keys up on one node all the time, over its restarts, and notes what it must not answer. */
import type { Node } from './nodes.ts'

const keysAtOnce = 10
const pauseMs = 3
const faultsMax = 20
/** A node that has just started may answer with that state; it may not answer that a key does not exist. */
const unavailable = 503

export class Watcher {
  readonly faults: string[] = []
  /** Lookups that found a value. */
  found = 0
  readonly #node: Node
  /** Keys that always have a value. */
  readonly #keys: readonly string[]
  /** Of each key, the highest source offset that the node has shown. */
  readonly #shown = new Map<string, number>()
  #running: Promise<void> | undefined
  #stopping = false

  constructor(node: Node, keys: readonly string[]) {
    this.#node = node
    this.#keys = keys
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let next = 0; !this.#stopping; next = (next + keysAtOnce) % this.#keys.length) {
      if (this.#node.isRunning && this.#node.process.url !== undefined) {
        await Promise.all(this.#keys.slice(next, next + keysAtOnce).map((key) => this.#look(key)))
      }
      await Bun.sleep(pauseMs)
    }
  }

  async #look(key: string): Promise<void> {
    // A node that is killed answers nothing.
    const answer = await this.#node.lookUp(key).catch(() => undefined)
    if (answer === undefined || answer.status === unavailable) return
    if (answer.status !== 200) return this.#fault(`${key}: ${answer.status} ${answer.text}`)
    this.found++
    const before = this.#shown.get(key) ?? -1
    if (answer.offset < before) this.#fault(`${key}: source offset ${answer.offset} after ${before}`)
    this.#shown.set(key, Math.max(before, answer.offset))
  }

  #fault(fault: string): void {
    if (this.faults.length < faultsMax) this.faults.push(fault)
  }
}
