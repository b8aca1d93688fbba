/**
 * Partitions grouped by the broker that leads them, one loop a broker, regrouped whenever a leader is lost. Fetching and producing
 * differ only in what their loop does.
 */
import { sleep } from './backoff.ts'
import { type KafkaClient } from './client.ts'
import { type Patience } from './patience.ts'
import { type ErrorCode, LatchkeyError } from '../errors.ts'

export class ByLeader {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #serve: (node: number) => Promise<void>
  /** Partition to node; undefined while its leader is not known. */
  readonly #nodes = new Map<number, number | undefined>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #stopping = new AbortController()
  readonly #patience: Patience
  /** Partition to the replica that its leader has named to fetch from, and until when that counts. */
  readonly #preferred = new Map<number, { node: number; until: number }>()
  readonly #fatal = Promise.withResolvers<never>()
  #changed = Promise.withResolvers<void>()
  #pauseDue: { cause: LatchkeyError | undefined } | undefined

  /** @param serve one broker's loop: runs while partitionsOf(node) is not empty; whatever it rejects with puts its partitions up for regrouping */
  constructor(client: KafkaClient, topic: string, serve: (node: number) => Promise<void>) {
    this.#client = client
    this.#topic = topic
    this.#serve = serve
    this.#patience = client.patience()
    client.signal.addEventListener('abort', () => this.stop(), { once: true })
    this.#fatal.promise.catch(() => {})
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  get signal(): AbortSignal {
    return this.#stopping.signal
  }

  add(partition: number): void {
    this.#nodes.set(partition, undefined)
    this.#changed.resolve()
  }

  remove(partition: number): void {
    this.#nodes.delete(partition)
    this.#preferred.delete(partition)
    this.#changed.resolve()
  }

  partitionsOf(node: number): number[] {
    const partitions: number[] = []
    if (this.stopped) return partitions
    for (const [partition, leader] of this.#nodes) if (leader === node) partitions.push(partition)
    return partitions
  }

  /** This partition's leader is not who it was taken for: look it up again, after a pause. */
  lost(partition: number, cause?: LatchkeyError): void {
    this.#pauseDue = { cause }
    this.#unhouse(partition)
  }

  /** The leader has named a replica nearer to us (KIP-392): it serves the partition until it fails, or for `leaseMs`; then the leader is asked again. */
  prefer(partition: number, node: number, leaseMs: number): void {
    if (!this.#nodes.has(partition) || !this.#client.knows(node)) return
    this.#preferred.set(partition, { node, until: performance.now() + leaseMs })
    this.#nodes.set(partition, undefined)
    this.#changed.resolve()
  }

  /** Back to the leader. @returns whether another replica served the partition */
  leavePreferred(partition: number): boolean {
    if (!this.#preferred.delete(partition)) return false
    this.#nodes.set(partition, undefined)
    this.#changed.resolve()
    return true
  }

  /** Takes partitions back to their leaders whose time with another replica is up. */
  endLeases(): void {
    if (this.#preferred.size === 0) return
    const now = performance.now()
    for (const [partition, { until }] of this.#preferred) if (until < now) this.leavePreferred(partition)
  }

  /** Something worked: the next loss waits the shortest time again. */
  succeeded(): void {
    this.#patience.reset()
    this.#client.health.succeeded()
  }

  /** Runs until stop(). Rejects with a failure that is not Kafka's: a corrupt changelog, exhausted memory, a defect. */
  async run(): Promise<void> {
    while (!this.stopped) {
      this.#changed = Promise.withResolvers<void>()
      const homeless = [...this.#nodes].filter(([, node]) => node === undefined).map(([partition]) => partition)
      if (homeless.length > 0 && this.#pauseDue) {
        // Metadata lag behind a leader that moves: without a pause this would go round as fast as the brokers answer.
        const { cause } = this.#pauseDue
        this.#pauseDue = undefined
        await sleep((cause ? this.#pauseMs(cause) : this.#patience.pauseMs()) ?? 0, this.signal)
      } else if (homeless.length > 0) await this.#house(homeless)
      else await Promise.race([this.#changed.promise, this.#fatal.promise])
    }
    await Promise.race([Promise.all(this.#loops.values()), this.#fatal.promise])
  }

  stop(): void {
    this.#stopping.abort()
    this.#changed.resolve()
  }

  #unhouse(partition: number): void {
    if (!this.#nodes.has(partition)) return
    this.#client.forgetLeader(this.#topic, partition)
    this.#preferred.delete(partition)
    this.#nodes.set(partition, undefined)
    this.#changed.resolve()
  }

  async #house(homeless: readonly number[]): Promise<void> {
    try {
      for (const [leader, partitions] of await this.#client.leaders(this.#topic, homeless)) {
        for (const partition of partitions) {
          const node = this.#preferred.get(partition)?.node ?? leader
          if (this.#nodes.has(partition)) this.#nodes.set(partition, node)
        }
      }
      for (const node of new Set(this.#nodes.values())) if (node !== undefined) this.#start(node)
      const left = homeless.find((partition) => this.#nodes.has(partition) && this.#nodes.get(partition) === undefined)
      if (left === undefined) return
      const found = 'there is none in the cluster’s metadata'
      throw new LatchkeyError('broker_error', `Finding the leader of ${this.#topic} partition ${left}: ${found}`)
    } catch (error) {
      await this.#pause(error)
    }
  }

  #start(node: number): void {
    if (this.#loops.has(node) || this.partitionsOf(node).length === 0) return
    const loop = this.#loop(node).finally(() => {
      this.#loops.delete(node)
      // A partition may have come to this node while its loop was ending.
      this.#start(node)
    })
    this.#loops.set(node, loop)
  }

  async #loop(node: number): Promise<void> {
    try {
      await this.#serve(node)
    } catch (error) {
      if (this.stopped) return
      await this.#pause(error)
      for (const partition of this.partitionsOf(node)) this.#unhouse(partition)
    }
  }

  async #pause(error: unknown): Promise<void> {
    if (this.stopped) return
    if (!(error instanceof LatchkeyError) || !(error.retriable || refusals.has(error.code))) {
      this.#fatal.reject(error)
      this.stop()
      return
    }
    this.#client.health.failed(error)
    const pauseMs = this.#pauseMs(error)
    if (pauseMs === undefined) return
    await sleep(pauseMs, this.signal)
  }

  /** undefined where the last attempt was made. */
  #pauseMs(error: LatchkeyError): number | undefined {
    try {
      return this.#patience.nextMs(error)
    } catch (end) {
      this.#fatal.reject(end)
      this.stop()
      return undefined
    }
  }
}

/** Not for a retry to mend, but an operator may mend it meanwhile (a right that was revoked): shown, and tried again. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['broker_refused', 'authentication_failed'])
