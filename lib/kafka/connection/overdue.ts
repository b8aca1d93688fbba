/**
 * Handles requests that a broker does not answer in time. A broker that hangs closes no connection. If no other broker
 * were asked, its partitions would wait for the deadline of a request, long after the cluster has moved them.
 */
import { LatchkeyError } from '../../errors.ts'
import { loggerOf } from '../../log/index.ts'
import type { Connections } from './connections.ts'
import type { Health } from './health.ts'

const log = loggerOf('kafka')

/** What a request is for, and how long it may take. */
export interface Purpose {
  /** How long the broker may wait before it answers. */
  waitMs?: number
  topic?: string
  /** Partitions of the topic that wait for the response. */
  partitions?: readonly number[]
  /** Which of the connections to the broker takes the request, see Connections.to(); 0 if absent. */
  lane?: number | undefined
}

export interface Addressed extends Purpose {
  readonly node: number
}

/**
 * Asks other brokers about the cluster.
 * @returns requests that wait at a node which left the cluster or does not lead their partitions
 */
type Misdirected = (requests: readonly Addressed[]) => Promise<readonly Addressed[]>

interface Request extends Addressed {
  readonly apiName: string
  readonly sentAt: number
  /** Key of the request's trouble, if it has no partitions. */
  readonly operation: symbol
  isOverdue: boolean
}

export class Overdue {
  readonly #subject: string
  readonly #health: Health
  readonly #connections: Connections
  readonly #misdirected: Misdirected
  readonly #afterMs: number
  readonly #requests = new Set<Request>()
  readonly #timer: ReturnType<typeof setInterval>
  #isLooking = false

  /** @param afterMs delay after which a response is overdue */
  constructor(subject: string, health: Health, connections: Connections, misdirected: Misdirected, afterMs: number) {
    this.#subject = subject
    this.#health = health
    this.#connections = connections
    this.#misdirected = misdirected
    this.#afterMs = afterMs
    this.#timer = setInterval(() => void this.#look(), afterMs / 2)
    this.#timer.unref()
  }

  async track<T>(node: number, apiName: string, purpose: Purpose, exchange: Promise<T>): Promise<T> {
    const operation = Symbol(apiName)
    const request = { ...purpose, node, apiName, sentAt: performance.now(), operation, isOverdue: false }
    this.#requests.add(request)
    try {
      const answer = await exchange
      if (request.isOverdue) this.#connections.setSilent(node, false)
      return answer
    } finally {
      this.#requests.delete(request)
      if (request.isOverdue) this.#health.over(operation)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    const now = performance.now()
    const overdue = [...this.#requests].filter(({ sentAt, waitMs = 0 }) => now - sentAt > waitMs + this.#afterMs)
    if (overdue.length === 0) return
    for (const request of overdue) this.#log(request, now)
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const nodes = (await this.#misdirected(overdue)).map(({ node }) => node)
      for (const node of new Set(nodes)) this.#abandon(node)
    } catch (error) {
      // The code that needs the cluster reports that it does not answer.
      if (!(error instanceof LatchkeyError)) throw error
    } finally {
      this.#isLooking = false
    }
  }

  #log(request: Request, now: number): void {
    const { node, apiName, sentAt, partitions, operation } = request
    request.isOverdue = true
    this.#connections.setSilent(node, true)
    const broker = this.#connections.addressOf(node)
    const seconds = Math.round((now - sentAt) / 1000)
    const error = new LatchkeyError('request_timed_out', `${apiName} to ${broker}: no answer for ${seconds} s`)
    this.#health.waits(error, partitions === undefined ? { operation, broker } : { partitions, broker })
  }

  /** Closes the connection to a node. Does nothing if the node has answered meanwhile. */
  #abandon(node: number): void {
    const since = [...this.#requests].filter((one) => one.node === node && one.isOverdue).map(({ sentAt }) => sentAt)
    if (since.length === 0) return
    const seconds = Math.round((performance.now() - Math.min(...since)) / 1000)
    const broker = this.#connections.addressOf(node)
    const found = `no answer for ${seconds} s, and the cluster continues without it`
    log.warn('{subject}: {broker} has given {found}: following its other brokers', {
      subject: this.#subject,
      broker,
      found,
    })
    this.#connections.abandon(node, found)
  }
}
