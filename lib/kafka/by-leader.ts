/**
 * Partitions grouped by the broker that leads them, one loop a broker, regrouped whenever a leader is lost. Fetching and producing
 * differ only in what their loop does. Each partition has pauses of its own: one that cannot be served holds up no other.
 */
import { deadline } from '../deadline.ts'
import { type KafkaClient } from './client.ts'
import { type Patience } from './patience.ts'
import { type ErrorCode, LatchkeyError } from '../errors.ts'

interface Place {
  /** Undefined while its leader is not known. */
  node: number | undefined
  /** When that is to be looked for (performance.now()). */
  dueAt: number
  readonly patience: Patience
}

export class ByLeader {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #serve: (node: number) => Promise<void>
  readonly #housed: () => void
  readonly #places = new Map<number, Place>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #stopping = new AbortController()
  /** Partition to the replica that its leader has named to fetch from, and until when that counts. */
  readonly #preferred = new Map<number, { node: number; until: number }>()
  readonly #fatal = Promise.withResolvers<never>()
  #changed = Promise.withResolvers<void>()

  /**
   * @param serve one broker's loop: runs while partitionsOf(node) is not empty; whatever it rejects with puts its partitions up for regrouping
   * @param housed called when a partition has come to a broker whose loop runs
   */
  constructor(
    client: KafkaClient,
    topic: string,
    serve: (node: number) => Promise<void>,
    housed: () => void = () => {},
  ) {
    this.#client = client
    this.#topic = topic
    this.#serve = serve
    this.#housed = housed
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
    this.#places.set(partition, { node: undefined, dueAt: 0, patience: this.#client.patience() })
    this.#changed.resolve()
  }

  remove(partition: number): void {
    this.#places.delete(partition)
    this.#preferred.delete(partition)
    this.#client.health.over(partition)
    this.#changed.resolve()
  }

  /** There is nothing to do for a partition now: nothing of it stands still. */
  idle(partition: number): void {
    this.#client.health.over(partition)
  }

  partitionsOf(node: number): number[] {
    const partitions: number[] = []
    if (this.stopped) return partitions
    for (const [partition, place] of this.#places) if (place.node === node) partitions.push(partition)
    return partitions
  }

  /** A partition cannot be served where it is: its leader is looked up after a pause. @param pauseMs where the caller bounds how often that happens */
  lost(partition: number, cause: unknown, pauseMs?: number): void {
    if (this.#places.has(partition)) this.#postpone([partition], cause, pauseMs)
  }

  /** The leader has named a replica nearer to us (KIP-392): it serves the partition until it fails, or for a time; then the leader is asked again. */
  prefer(partition: number, node: number): void {
    if (!this.#client.knows(node)) return
    const leaseMs = this.#client.metadataMaxAgeMs || leaseMsDefault
    this.#preferred.set(partition, { node, until: performance.now() + leaseMs })
    this.#unhouse(partition)
  }

  /** Back to the leader. @returns whether another replica served the partition */
  leavePreferred(partition: number): boolean {
    if (!this.#preferred.delete(partition)) return false
    this.#unhouse(partition)
    return true
  }

  /** Takes partitions back to their leaders whose time with another replica is up. */
  endLeases(): void {
    if (this.#preferred.size === 0) return
    const now = performance.now()
    for (const [partition, { until }] of this.#preferred) if (until < now) this.leavePreferred(partition)
  }

  /** A partition was served: its next loss waits the shortest time again. */
  succeeded(partition: number): void {
    this.#places.get(partition)?.patience.reset()
    this.#client.health.succeeded(partition)
  }

  /** Runs until stop(). Rejects with a failure that is not Kafka's: a corrupt changelog, exhausted memory, a defect. */
  async run(): Promise<void> {
    while (!this.stopped) {
      this.#changed = Promise.withResolvers<void>()
      const homeless = [...this.#places].filter(([, { node }]) => node === undefined)
      const now = performance.now()
      const due = homeless.filter(([, { dueAt }]) => dueAt <= now).map(([partition]) => partition)
      if (due.length > 0) await this.#house(due)
      else await this.#untilDue(Math.min(...homeless.map(([, { dueAt }]) => dueAt)) - now)
    }
    await Promise.race([Promise.all(this.#loops.values()), this.#fatal.promise])
  }

  stop(): void {
    for (const partition of this.#places.keys()) this.#client.health.over(partition)
    this.#stopping.abort()
    this.#changed.resolve()
  }

  /** Resolves when something has changed, or after the time; for ever where nothing is due. */
  async #untilDue(ms: number): Promise<void> {
    const changed = Promise.race([this.#changed.promise, this.#fatal.promise])
    await (ms === Number.POSITIVE_INFINITY ? changed : deadline(changed, ms, () => undefined))
  }

  #unhouse(partition: number): void {
    const place = this.#places.get(partition)
    if (place !== undefined) place.node = undefined
    this.#changed.resolve()
  }

  async #house(homeless: readonly number[]): Promise<void> {
    try {
      const found = new Set<number>()
      for (const [leader, partitions] of await this.#client.leaders(this.#topic, homeless)) {
        for (const partition of partitions) {
          const place = this.#places.get(partition)
          if (place === undefined) continue
          place.node = this.#preferred.get(partition)?.node ?? leader
          found.add(place.node)
        }
      }
      for (const node of found) {
        if (this.#loops.has(node)) this.#housed()
        else this.#start(node)
      }
      for (const partition of homeless) {
        if (this.#places.get(partition)?.node === undefined) this.lost(partition, this.#leaderless(partition))
      }
    } catch (error) {
      this.#postpone(homeless, error)
    }
  }

  #leaderless(partition: number): LatchkeyError {
    const found = 'there is none in the cluster’s metadata'
    return new LatchkeyError('broker_error', `Finding the leader of ${this.#topic} partition ${partition}: ${found}`)
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
      this.#postpone(this.partitionsOf(node), error)
    }
  }

  /** Partitions that were served together are looked for together. Ends the run where a retry cannot mend the failure. */
  #postpone(partitions: readonly number[], error: unknown, pauseMs?: number): void {
    if (this.stopped) return
    if (!(error instanceof LatchkeyError) || !(error.retriable || refusals.has(error.code))) return this.#end(error)
    const places = partitions.flatMap((partition) => this.#places.get(partition) ?? [])
    const broker = this.#client.addressOf(places[0]?.node)
    if (places.length > 0) this.#client.health.failed(error, { partitions, broker })
    try {
      // Metadata lag behind a leader that moves: without a pause this would go round as fast as the brokers answer.
      const dueAt = performance.now() + (pauseMs ?? Math.max(...places.map(({ patience }) => patience.nextMs(error))))
      for (const place of places) Object.assign(place, { node: undefined, dueAt })
    } catch (end) {
      return this.#end(end)
    }
    for (const partition of partitions) {
      this.#client.forgetLeader(this.#topic, partition)
      this.#preferred.delete(partition)
    }
    this.#changed.resolve()
  }

  #end(error: unknown): void {
    this.#fatal.reject(error)
    this.stop()
  }
}

/** How long a replica is fetched from before the leader is asked again, where metadata are not refreshed: the Java consumer's default. */
const leaseMsDefault = 300_000

/** Not for a retry to mend, but an operator may mend it meanwhile (a right that was revoked): shown, and tried again. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['broker_refused', 'authentication_failed'])
