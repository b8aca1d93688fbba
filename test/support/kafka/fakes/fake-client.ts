/** A KafkaClient whose brokers are the test: it sees every raw request and answers when and how it likes. */
import { LatchkeyError } from '../../../../lib/errors.ts'
import { Backoff, type BackoffOptions } from '../../../../lib/kafka/backoff.ts'
import type { KafkaClient } from '../../../../lib/kafka/client.ts'
import type { Health } from '../../../../lib/kafka/connection/health.ts'
import type { RawRequest } from '../../../../lib/kafka/connection/raw-request.ts'
import { RetryPolicy } from '../../../../lib/kafka/retry-policy.ts'
import type { TopicListener } from '../../../../lib/kafka/topic-view.ts'
import { soon } from '../../until.ts'

/** One request that waits for its answer. */
export interface Exchange {
  node: number
  request: RawRequest
  answer(body: Buffer): void
  fail(error: Error): void
}

export class FakeClient {
  readonly requestTimeoutMs = 1000
  readonly isolation = 'read_committed'
  metadataMaxAgeMs = 0
  retriesMax = Number.POSITIVE_INFINITY
  /** Whether retryForever() repeats; else it rejects with the first failure. */
  isPersistent = false
  retryBackoff: BackoffOptions | undefined
  readonly troubles: string[] = []
  readonly health: Pick<Health, 'failed' | 'succeeded' | 'waits' | 'over'> = {
    failed: (error) => void this.troubles.push(error.message),
    succeeded: () => {},
    waits: () => {},
    over: () => {},
  }
  /** Partition to node: what the cluster's metadata say. */
  readonly leading = new Map<number, number>()
  /** What ListOffsets answers. */
  readonly offsets = new Map<number, { earliest: number; latest: number }>()
  /** Of the partitions whose epoch is known. */
  readonly leaderEpochs = new Map<number, number>()
  /** Whether the topic was deleted. */
  isMissing = false
  /** The topic's id, where it is known. */
  topicId: string | undefined
  /** What DescribeConfigs says of every topic. */
  readonly topicConfig = new Map<string, string>()
  readonly topics = {
    id: () => this.topicId,
    isMissing: () => this.isMissing,
    leaderEpoch: (_topic: string, partition: number) => this.leaderEpochs.get(partition) ?? -1,
    watch: (_topic: string, _listener: TopicListener): (() => void) => noWatch,
    clusterId: undefined as string | undefined,
  }
  /** Of Fetch. */
  fetchVersionMax = 11
  lookups = 0
  readonly #known = new Map<number, number>()
  readonly #closing = new AbortController()
  readonly #requests: Exchange[] = []
  readonly #waiting: ((exchange: Exchange) => void)[] = []

  constructor(leading: Record<number, number> = { 0: 1 }) {
    for (const [partition, node] of Object.entries(leading)) this.leading.set(Number(partition), node)
  }

  /** As the code under test takes it. */
  get client(): KafkaClient {
    return this as unknown as KafkaClient
  }

  retryPolicy(): RetryPolicy {
    return new RetryPolicy(new Backoff(this.retryBackoff), this.retriesMax)
  }

  addressOf(node: number | undefined): string | undefined {
    return node === undefined ? undefined : `b${node}:9092`
  }

  async versionMax(): Promise<number> {
    return this.fetchVersionMax
  }

  knows(node: number): boolean {
    return node < 100
  }

  get signal(): AbortSignal {
    return this.#closing.signal
  }

  /** Requests that the test has not taken yet. */
  get unseen(): number {
    return this.#requests.length
  }

  async leaders(_topic: string, partitions: readonly number[]): Promise<Map<number, number[]>> {
    if (partitions.some((partition) => !this.#known.has(partition))) {
      this.lookups++
      for (const [partition, node] of this.leading) this.#known.set(partition, node)
    }
    const byNode = new Map<number, number[]>()
    for (const partition of partitions) {
      const node = this.#known.get(partition)
      if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), partition])
    }
    return byNode
  }

  async retryForever<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation()
      } catch (error) {
        if (!this.isPersistent || !(error instanceof LatchkeyError) || !error.retriable) throw error
        this.health.failed(error)
      }
    }
  }

  /** ListOffsets, which is all that is asked of it. */
  async call(_node: number, _api: string, _version: number, args: Record<string, unknown>): Promise<unknown> {
    const [{ partitions }] = args['topics'] as [{ partitions: { partition: number; timestamp: string }[] }]
    const found = partitions.map(({ partition, timestamp }) => {
      const { earliest, latest } = this.offsets.get(partition)!
      return { partition, errorCode: 0, offset: String(timestamp === '-2' ? earliest : latest) }
    })
    return { responses: [{ partitions: found }] }
  }

  /** DescribeConfigs, which is all that is asked of any broker. */
  async callAny(): Promise<unknown> {
    const configEntries = [...this.topicConfig].map(([configName, configValue]) => ({ configName, configValue }))
    return { resources: [{ errorCode: 0, configEntries }] }
  }

  leader(_topic: string, partition: number): number | undefined {
    return this.#known.get(partition)
  }

  forgetLeader(_topic: string, partition: number): void {
    this.#known.delete(partition)
  }

  send(node: number, request: RawRequest): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const exchange = { node, request, answer: resolve, fail: reject }
    const waiting = this.#waiting.shift()
    if (waiting) waiting(exchange)
    else this.#requests.push(exchange)
    return promise
  }

  /** The next request, once it is sent. */
  async next(): Promise<Exchange> {
    return this.#requests.shift() ?? soon('a request', this.#coming())
  }

  /** Answers every request until the test ends. One that does not come is no failure, other than with `next()`. */
  async serve(answer: (exchange: Exchange) => void): Promise<never> {
    for (;;) answer(this.#requests.shift() ?? (await this.#coming()))
  }

  close(): void {
    this.#closing.abort()
  }

  #coming(): Promise<Exchange> {
    const { promise, resolve } = Promise.withResolvers<Exchange>()
    this.#waiting.push(resolve)
    return promise
  }
}

function noWatch(): void {}

export function unreachable(): LatchkeyError {
  return new LatchkeyError('broker_unreachable', 'Fetch to nowhere:1: refused')
}
