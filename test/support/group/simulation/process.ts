/** A process and its way to Kafka: it can be stopped and continued, cut off, and killed. */
import { LatchkeyError } from '../../../../lib/errors.ts'
import type { KafkaClient } from '../../../../lib/kafka/client.ts'
import type { Random } from '../../random.ts'
import type { SimulatedClock } from './clock.ts'
import type { SimulatedCoordinator } from './coordinator.ts'

/** What all processes share: one cluster, one clock, one source of chance. */
export interface Surroundings {
  readonly clock: SimulatedClock
  readonly random: Random
  readonly coordinator: SimulatedCoordinator
  /** The coordinator answers nothing. */
  isDown: boolean
  /** Chance of a request or a response to be lost. */
  loss: number
}

export class SimulatedProcess {
  readonly #around: Surroundings
  state: 'running' | 'stopped' | 'dead' = 'running'
  isCut = false
  #waiting: (() => void)[] = []

  constructor(around: Surroundings) {
    this.#around = around
  }

  /** A number from 0 to `below`, that excluded. */
  chance(below: number): number {
    return this.#around.random.below(below)
  }

  /** Runs a step of this process, when it runs. */
  run(step: () => void): void {
    if (this.state === 'running') step()
    else if (this.state === 'stopped') this.#waiting.push(step)
  }

  continue(): void {
    if (this.state !== 'stopped') return
    this.state = 'running'
    for (const step of this.#waiting.splice(0)) this.run(step)
  }

  after(ms: number, step: () => void): void {
    this.#around.clock.after(ms, () => this.run(step))
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      this.after(ms, resolve)
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Sends to the cluster. @param handle what the cluster does; it answers once, or later, or never */
  ask<T>(handle: (answer: (response: T) => void) => void): Promise<T> {
    const { random, clock } = this.#around
    return new Promise((resolve, reject) => {
      const fail = () => reject(new LatchkeyError('broker_unreachable', 'the connection is closed'))
      const isLost = () => this.isCut || this.#around.isDown || random.next() < this.#around.loss
      let isAnswered = false
      // A broker that is down closes its connections; what waited there fails.
      const watch = () => {
        if (isAnswered) return
        if (this.isCut || this.#around.isDown) this.run(fail)
        else this.after(1_000, watch)
      }
      if (isLost()) {
        this.after(20 + random.below(1_000), fail)
        return
      }
      this.after(1_000, watch)
      clock.after(1 + random.below(20), () => {
        handle((response) => {
          isAnswered = true
          if (isLost()) this.after(20 + random.below(1_000), fail)
          else this.after(1 + random.below(20), () => resolve(response))
        })
      })
    })
  }

  /** As much of a client as a membership uses. @param rebalanceTimeout in place of the membership's */
  client(rebalanceTimeout?: number): KafkaClient {
    const { coordinator, random } = this.#around
    const health = { failed() {}, succeeded() {}, over() {} }
    const retryPolicy = () => ({
      pauseMs: () => 50 + random.below(200),
      nextMs: () => 50 + random.below(200),
      reset() {},
    })
    const call = (_node: number, api: string, _version: number, request: Record<string, unknown>) => {
      const args = rebalanceTimeout === undefined ? request : { ...request, rebalanceTimeout }
      return this.ask((answer) => coordinator.handle(api, args, answer))
    }
    const found = async () => 1
    return { coordinator: found, forgetCoordinator() {}, call, retryPolicy, health } as unknown as KafkaClient
  }
}
