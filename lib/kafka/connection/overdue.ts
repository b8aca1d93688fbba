/**
 * Requests that a broker does not answer in time. A broker that stands still closes no connection: without a look elsewhere its partitions would wait for
 * the deadline of a request, long after the cluster has given them to another one.
 */
import { getLogger } from '@logtape/logtape'
import { LatchkeyError } from '../../errors.ts'
import { type Connections } from './connections.ts'
import { type Health } from './health.ts'

const log = getLogger(['latchkey', 'kafka'])

/** What a request is for, and what it may take. */
export interface Purpose {
  /** How long the broker may wait before it has to answer. */
  waitMs?: number
  topic?: string
  /** Of that topic: those that wait for the answer. */
  partitions?: readonly number[]
}

export interface Addressed extends Purpose {
  readonly node: number
}

/** Asks others how the cluster is. @returns the requests that wait where nobody will answer */
type Misdirected = (requests: readonly Addressed[]) => Promise<readonly Addressed[]>

interface Request extends Addressed {
  readonly apiName: string
  readonly sentAt: number
  /** Of its trouble, where it is for no partitions. */
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

  /** @param afterMs how late an answer has to be */
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
    for (const request of overdue) this.#tell(request, now)
    if (this.#isLooking) return
    this.#isLooking = true
    try {
      const nodes = (await this.#misdirected(overdue)).map(({ node }) => node)
      for (const node of new Set(nodes)) this.#abandon(node)
    } catch (error) {
      // Whoever needs the cluster says that it cannot be asked.
      if (!(error instanceof LatchkeyError)) throw error
    } finally {
      this.#isLooking = false
    }
  }

  #tell(request: Request, now: number): void {
    const { node, apiName, sentAt, partitions, operation } = request
    request.isOverdue = true
    this.#connections.setSilent(node, true)
    const broker = this.#connections.addressOf(node)
    const seconds = Math.round((now - sentAt) / 1000)
    const error = new LatchkeyError('request_timed_out', `${apiName} to ${broker}: no answer for ${seconds} s`)
    this.#health.waits(error, partitions === undefined ? { operation, broker } : { partitions, broker })
  }

  /** @param node still silent, or it has answered meanwhile */
  #abandon(node: number): void {
    const since = [...this.#requests].filter((one) => one.node === node && one.isOverdue).map(({ sentAt }) => sentAt)
    if (since.length === 0) return
    const seconds = Math.round((performance.now() - Math.min(...since)) / 1000)
    const broker = this.#connections.addressOf(node)
    const found = `no answer for ${seconds} s, and the cluster goes on without it`
    log.warn('{subject}: {broker} has given {found}: following its other brokers', {
      subject: this.#subject,
      broker,
      found,
    })
    this.#connections.abandon(node, found)
  }
}
