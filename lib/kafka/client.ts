/**
 * Client of one cluster over kafkajs's connections: finds brokers, leaders and coordinators, and sends requests. The
 * caller handles failures. retryForever() helps: it retries indefinitely, with backoff, visible in `health`.
 */
import { LatchkeyError } from '../errors.ts'
import type { Isolation } from '../store-protocol/client-config.ts'
import { Backoff, sleep } from './backoff.ts'
import type { ClientOptions } from './client-options.ts'
import type { BrokerConnection } from './connection/broker-connection.ts'
import { Connections } from './connection/connections.ts'
import { Health } from './connection/health.ts'
import { type Addressed, Overdue, type Purpose } from './connection/overdue.ts'
import type { RawRequest } from './connection/raw-request.ts'
import { type CoordinatorKind, Coordinators } from './coordinators.ts'
import { joined } from './joined.ts'
import { brokerError, errorAction } from './protocol/error-codes.ts'
import { askForMetadata, type TopicMetadata } from './protocol/metadata.ts'
import { RetryPolicy } from './retry-policy.ts'
import { TopicView } from './topic-view.ts'

export type { TopicMetadata }

const lateMsDefault = 2_000

export class KafkaClient {
  readonly health: Health
  /** Topic ids, leaders and leader epochs from the metadata received so far. */
  readonly topics = new TopicView()
  readonly #options: ClientOptions
  readonly #connections: Connections
  readonly #coordinators: Coordinators
  readonly #closing = new AbortController()
  readonly #overdue: Overdue
  /** Nodes in the last metadata response. */
  #alive: ReadonlySet<number> = new Set()
  #refreshTimer: ReturnType<typeof setInterval> | undefined

  constructor(options: ClientOptions) {
    this.#options = options
    this.health = new Health(options.subject)
    const { lateMs = lateMsDefault } = options
    this.#connections = new Connections(options.brokers, options, lateMs)
    this.#coordinators = new Coordinators(this.#connections, options.requestTimeoutMs)
    const misdirected = (requests: readonly Addressed[]) => this.#misdirected(requests)
    this.#overdue = new Overdue(options.subject, this.health, this.#connections, misdirected, lateMs)
    const { metadataMaxAgeMs = 0 } = options
    if (metadataMaxAgeMs === 0) return
    this.#refreshTimer = setInterval(() => void this.#refresh(), metadataMaxAgeMs)
    this.#refreshTimer.unref()
  }

  /** Aborted by close(). Ends every retryForever() of this client. */
  get signal(): AbortSignal {
    return this.#closing.signal
  }

  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs
  }

  get isolation(): Isolation {
    return this.#options.isolation ?? 'read_committed'
  }

  get metadataMaxAgeMs(): number {
    return this.#options.metadataMaxAgeMs ?? 0
  }

  /** Returns a new retry policy for one operation. */
  retryPolicy(): RetryPolicy {
    return new RetryPolicy(new Backoff(this.#options.retryBackoff), this.#options.retriesMax)
  }

  /** Repeats an operation until it succeeds or the client closes. Rejects if a retry cannot solve the failure. */
  async retryForever<T>(operation: () => Promise<T>): Promise<T> {
    const retryPolicy = this.retryPolicy()
    const own = Symbol('operation')
    try {
      return await this.#repeat(operation, retryPolicy, own)
    } finally {
      this.health.over(own)
    }
  }

  async #repeat<T>(operation: () => Promise<T>, retryPolicy: RetryPolicy, own: symbol): Promise<T> {
    for (;;) {
      try {
        const result = await operation()
        this.health.succeeded(own)
        return result
      } catch (error) {
        if (this.signal.aborted) {
          throw new LatchkeyError('stopping', `${this.#options.subject}: closed`, { cause: error })
        }
        if (!(error instanceof LatchkeyError) || !this.#mayPass(error)) throw error
        this.health.failed(error, { operation: own })
        await sleep(retryPolicy.nextMs(error), this.signal)
      }
    }
  }

  /** Requests the metadata of topics and stores the leaders. An unknown topic has an error code in the result. */
  async metadata(topics: readonly string[]): Promise<TopicMetadata[]> {
    const ask = (connection: BrokerConnection) => askForMetadata(connection, topics, this.requestTimeoutMs)
    const { brokers, clusterId, topics: found } = await this.#connections.askAround(ask)
    this.topics.clusterId = clusterId
    this.#alive = new Set(brokers.map(({ nodeId }) => nodeId))
    for (const { nodeId, host, port } of brokers) this.#connections.remember(nodeId, { host, port })
    for (const topic of found) this.topics.update(topic)
    return found
  }

  /** Returns host:port of a node; undefined if unknown. */
  addressOf(node: number | undefined): string | undefined {
    return node === undefined ? undefined : this.#connections.addressOf(node)
  }

  /** Whether the address of a node is known, so that it can receive requests. */
  knows(node: number): boolean {
    return this.#connections.knows(node)
  }

  /** Returns the leader's node id from the last metadata; undefined if unknown. */
  leader(topic: string, partition: number): number | undefined {
    const node = this.topics.leader(topic, partition)
    return node === undefined || !this.#connections.knows(node) ? undefined : node
  }

  /** Returns partitions by leader. Refreshes metadata if a leader is unknown. Omits partitions without a leader. */
  async leaders(topic: string, partitions: readonly number[]): Promise<Map<number, number[]>> {
    if (partitions.some((partition) => this.leader(topic, partition) === undefined)) {
      await joined(this, `leaders of ${topic}`, topic, (asked) => this.#lookUp(topic, asked))
    }
    const byNode = new Map<number, number[]>()
    for (const partition of partitions) {
      const node = this.leader(topic, partition)
      if (node === undefined) continue
      const led = byNode.get(node)
      if (led === undefined) byNode.set(node, [partition])
      else led.push(partition)
    }
    return byNode
  }

  async #lookUp<Asked>(topic: string, asked: Asked): Promise<Asked> {
    const [{ errorCode }] = (await this.metadata([topic])) as [TopicMetadata]
    if (errorCode === 0 || errorAction(errorCode) !== 'refuse') return asked
    const advice = 'a permission was taken from this user: latchkey --check names it'
    throw brokerError(`Finding the leaders of topic ${topic}`, errorCode, advice)
  }

  /** Marks the known leader of a partition as wrong: the metadata is refreshed before the next use. */
  forgetLeader(topic: string, partition: number): void {
    this.topics.forgetLeader(topic, partition)
  }

  /** Returns the highest version of a request that a node supports; -1 if it does not support the request. */
  versionMax(node: number, apiKey: number): Promise<number> {
    const answer = this.#connections.to(node).versionMax(apiKey)
    return this.#overdue.track(node, 'ApiVersions', {}, this.#forgetting(node, answer))
  }

  /** @param purpose partitions that wait for the response, and how long the broker may wait before it answers */
  send(node: number, request: RawRequest, timeoutMs: number, purpose: Purpose = {}): Promise<Buffer> {
    const answer = this.#connections.to(node, purpose.lane).send(request, timeoutMs)
    return this.#overdue.track(node, request.apiName, purpose, this.#forgetting(node, answer))
  }

  /** @param purpose lane, and how long the broker may wait before it answers */
  call(
    node: number,
    apiName: string,
    version: number,
    args: Record<string, unknown>,
    purpose: Purpose = {},
  ): Promise<unknown> {
    const { lane, waitMs = 0 } = purpose
    const answer = this.#connections.to(node, lane).call(apiName, version, args, this.requestTimeoutMs + waitMs)
    return this.#overdue.track(node, apiName, purpose, this.#forgetting(node, answer))
  }

  /** Sends a request that any broker answers or forwards. A request that creates something goes to one broker only. */
  callAny(apiName: string, apiVersion: number, args: Record<string, unknown>): Promise<unknown> {
    const ask = (connection: BrokerConnection) => connection.call(apiName, apiVersion, args, this.requestTimeoutMs)
    return apiName.startsWith('Create') ? ask(this.#connections.any()) : this.#connections.askAround(ask)
  }

  sendAny(request: RawRequest): Promise<Buffer> {
    return this.#connections.askAround((connection) => connection.send(request, this.requestTimeoutMs))
  }

  /** Returns the coordinator's node id. Call forgetCoordinator() if it answers that it is not the coordinator. */
  coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    return this.#coordinators.of(kind, key)
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.forget(kind, key)
  }

  /** Closes the connections of all lanes but lane 0. To be called when nothing uses them. */
  closeLanes(): void {
    this.#connections.closeLanes()
  }

  /** Closes all connections immediately. Pending requests reject. */
  close(): void {
    this.#closing.abort()
    clearInterval(this.#refreshTimer)
    this.#overdue.stop()
    this.#connections.close()
    this.health.stop()
  }

  /** Credentials that worked before may be in the middle of a rotation. */
  #mayPass(error: LatchkeyError): boolean {
    return error.retriable || (error.code === 'authentication_failed' && this.health.hasWorked)
  }

  async #refresh(): Promise<void> {
    const topics = this.topics.names
    if (topics.length === 0) return
    try {
      await this.metadata(topics)
      this.health.succeeded()
    } catch (error) {
      if (error instanceof LatchkeyError && !this.signal.aborted) this.health.failed(error)
    }
  }

  /** Returns the requests whose node left the cluster's metadata or no longer leads their partitions. */
  async #misdirected(requests: readonly Addressed[]): Promise<Addressed[]> {
    await this.metadata(this.topics.names)
    return requests.filter(({ node, topic, partitions = [] }) => {
      return !this.#alive.has(node) || partitions.some((one) => (this.leader(topic!, one) ?? node) !== node)
    })
  }

  /** After a failed exchange with a node, other nodes may lead its partitions or coordinate its groups. */
  async #forgetting<T>(node: number, exchange: Promise<T>): Promise<T> {
    try {
      return await exchange
    } catch (error) {
      this.topics.forgetNode(node)
      this.#coordinators.forgetNode(node)
      throw error
    }
  }
}
