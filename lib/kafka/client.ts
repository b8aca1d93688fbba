/**
 * Brokers, leaders and coordinators of one cluster, over connections of kafkajs. It answers "where" and sends; what to do about a failure is
 * the caller's, helped by persist(): forever, with backoff, visible in `health`.
 */
import { LatchkeyError } from '../errors.ts'
import { Backoff, type BackoffOptions, sleep } from './backoff.ts'
import { Connections } from './connection/connections.ts'
import { type CoordinatorKind, Coordinators } from './coordinators.ts'
import { brokerError, errorAction } from './protocol/error-codes.ts'
import { Health } from './connection/health.ts'
import { askForMetadata, type TopicMetadata } from './protocol/metadata.ts'
import { Patience } from './patience.ts'
import { TopicView } from './topic-view.ts'
import { type BrokerAddress, type Isolation } from '../store-protocol/client-config.ts'
import { type Addressed, Overdue, type Purpose } from './connection/overdue.ts'
import { type BrokerConnection, type ConnectionOptions, type RawRequest } from './connection/kafkajs.ts'

export type { TopicMetadata }

export interface ClientOptions extends ConnectionOptions {
  /** What log lines call this client, e.g. `source consumer`. */
  subject: string
  /** Seeds: asked, with every address that is learned, in turn until one answers. */
  brokers: readonly BrokerAddress[]
  /** Deadline of a request that does not wait at the broker. */
  requestTimeoutMs: number
  /** What ends of partitions are meant for this client: the last stable offset, or the high watermark. */
  isolation?: Isolation
  retryBackoff?: BackoffOptions
  /** Failures of one thing in a row after which it is given up; Infinity for never, the default. */
  retriesMax?: number
  /** How often the leaders of the topics in use are asked for again; 0, the default, for only when one is not who it was. */
  metadataMaxAgeMs?: number
  /** How late an answer has to be before others are asked, and say whether the cluster goes on without that broker. */
  lateMs?: number
}

const lateMsDefault = 2_000

export class KafkaClient {
  readonly health: Health
  /** Ids, leaders and their epochs, as far as they were asked for. */
  readonly topics = new TopicView()
  readonly #options: ClientOptions
  readonly #connections: Connections
  readonly #coordinators: Coordinators
  readonly #closing = new AbortController()
  readonly #overdue: Overdue
  /** Nodes that the last metadata have named. */
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

  /** Aborted by close(): ends every persist() of this client. */
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

  /** For one thing that is tried again and again. */
  patience(): Patience {
    return new Patience(new Backoff(this.#options.retryBackoff), this.#options.retriesMax)
  }

  /** Repeats an operation while its failure is one that a retry may mend, until close(). Rejects with what a retry cannot mend. */
  async persist<T>(operation: () => Promise<T>): Promise<T> {
    const patience = this.patience()
    const own = Symbol('operation')
    try {
      return await this.#repeat(operation, patience, own)
    } finally {
      this.health.over(own)
    }
  }

  async #repeat<T>(operation: () => Promise<T>, patience: Patience, own: symbol): Promise<T> {
    for (;;) {
      try {
        const result = await operation()
        this.health.succeeded(own)
        return result
      } catch (error) {
        if (this.signal.aborted)
          throw new LatchkeyError('stopping', `${this.#options.subject}: closed`, { cause: error })
        if (!(error instanceof LatchkeyError) || !this.#mayPass(error)) throw error
        this.health.failed(error, { operation: own })
        await sleep(patience.nextMs(error), this.signal)
      }
    }
  }

  /** Asks the cluster about topics and remembers their leaders. A topic that does not exist comes back with its error code. */
  async metadata(topics: readonly string[]): Promise<TopicMetadata[]> {
    const ask = (connection: BrokerConnection) => askForMetadata(connection, topics, this.requestTimeoutMs)
    const { brokers, topics: found } = await this.#connections.askAround(ask)
    this.#alive = new Set(brokers.map(({ nodeId }) => nodeId))
    for (const { nodeId, host, port } of brokers) this.#connections.remember(nodeId, { host, port })
    for (const topic of found) this.topics.take(topic)
    return found
  }

  /** host:port of a node; undefined where it is not known. */
  addressOf(node: number | undefined): string | undefined {
    return node === undefined ? undefined : this.#connections.addressOf(node)
  }

  /** Whether a node's address is known, so that it can be asked. */
  knows(node: number): boolean {
    return this.#connections.knows(node)
  }

  /** Node id of the leader by the last metadata; undefined where that named none. */
  leader(topic: string, partition: number): number | undefined {
    const node = this.topics.leader(topic, partition)
    return node === undefined || !this.#connections.knows(node) ? undefined : node
  }

  /** Partitions of a topic by leader, after asking again if one is without. Those still without a leader are left out. */
  async leaders(topic: string, partitions: readonly number[]): Promise<Map<number, number[]>> {
    if (partitions.some((partition) => this.leader(topic, partition) === undefined)) await this.#lookUp(topic)
    const byNode = new Map<number, number[]>()
    for (const partition of partitions) {
      const node = this.leader(topic, partition)
      if (node !== undefined) byNode.set(node, [...(byNode.get(node) ?? []), partition])
    }
    return byNode
  }

  async #lookUp(topic: string): Promise<void> {
    const [found] = await this.metadata([topic])
    const { errorCode } = found!
    if (errorCode === 0 || errorAction(errorCode) !== 'refuse') return
    const advice = 'a right was taken from this user: latchkey --check names it'
    throw brokerError(`Finding the leaders of topic ${topic}`, errorCode, advice)
  }

  /** The leader of one partition is not who we thought: ask before the next use. */
  forgetLeader(topic: string, partition: number): void {
    this.topics.forgetLeader(topic, partition)
  }

  /** The highest version of a request that a node knows; -1 where it does not know the request. */
  versionMax(node: number, apiKey: number): Promise<number> {
    const answer = this.#connections.to(node).versionMax(apiKey)
    return this.#overdue.track(node, 'ApiVersions', {}, this.#forgetting(node, answer))
  }

  /** @param purpose what waits for the answer, and how long the broker may wait before it answers */
  send(node: number, request: RawRequest, timeoutMs: number, purpose: Purpose = {}): Promise<Buffer> {
    const answer = this.#connections.to(node).send(request, timeoutMs)
    return this.#overdue.track(node, request.apiName, purpose, this.#forgetting(node, answer))
  }

  call(node: number, apiName: string, apiVersion: number, args: Record<string, unknown>): Promise<unknown> {
    const answer = this.#connections.to(node).call(apiName, apiVersion, args, this.requestTimeoutMs)
    return this.#overdue.track(node, apiName, {}, this.#forgetting(node, answer))
  }

  /** A request that any broker answers, or forwards to the controller. What creates something is asked of one alone. */
  callAny(apiName: string, apiVersion: number, args: Record<string, unknown>): Promise<unknown> {
    const ask = (connection: BrokerConnection) => connection.call(apiName, apiVersion, args, this.requestTimeoutMs)
    return apiName.startsWith('Create') ? ask(this.#connections.any()) : this.#connections.askAround(ask)
  }

  sendAny(request: RawRequest): Promise<Buffer> {
    return this.#connections.askAround((connection) => connection.send(request, this.requestTimeoutMs))
  }

  /** Node id of the coordinator of a group or a transactional id; forget it when it answers that it is not. */
  coordinator(kind: CoordinatorKind, key: string): Promise<number> {
    return this.#coordinators.of(kind, key)
  }

  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.#coordinators.forget(kind, key)
  }

  /** Ends every connection at once; requests under way are rejected. */
  close(): void {
    this.#closing.abort()
    clearInterval(this.#refreshTimer)
    this.#overdue.stop()
    this.#connections.close()
  }

  /** Credentials that worked before may be those of a rotation under way. */
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

  /** Those of the requests that wait for a node which the cluster goes on without, or which does not lead their partitions any more. */
  async #misdirected(requests: readonly Addressed[]): Promise<Addressed[]> {
    await this.metadata(this.topics.names)
    return requests.filter(({ node, topic, partitions = [] }) => {
      const isElsewhere = (partition: number) => (this.leader(topic!, partition) ?? node) !== node
      return !this.#alive.has(node) || partitions.some(isElsewhere)
    })
  }

  /** After a failure on the way to a node, whoever it led or coordinated for may be elsewhere. */
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
