/**
 * Groups partitions by the broker that leads them, runs one loop per broker, and regroups partitions that lost their
 * leader. Fetching and producing differ only in the body of the loop. Each partition has its own retry pauses, so a
 * partition that cannot be served does not delay the others.
 */
import { deadline } from '../deadline.ts'
import { type ErrorCode, LatchkeyError } from '../errors.ts'
import type { KafkaClient } from './client.ts'
import { leaderless } from './leaderless.ts'
import type { RetryPolicy } from './retry-policy.ts'

interface Place {
  /** Node id of the broker that serves the partition; undefined while the leader is unknown. */
  node: number | undefined
  /** Time at which to look up the leader (performance.now()). */
  dueAt: number
  readonly retries: RetryPolicy
}

export class LeaderLoops {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #serve: (node: number) => Promise<void>
  readonly #onAssigned: () => void
  readonly #places = new Map<number, Place>()
  readonly #loops = new Map<number, Promise<void>>()
  readonly #stopping = new AbortController()
  /** Replica that the leader of each partition named for fetching, and the time until which it is used. */
  readonly #preferred = new Map<number, { node: number; until: number }>()
  readonly #fatal = Promise.withResolvers<never>()
  #changed = Promise.withResolvers<void>()

  /**
   * @param serve loop of one broker: runs while partitionsOf(node) is not empty. If it rejects, its partitions are
   *   regrouped
   * @param onAssigned called when a partition was assigned to a broker whose loop already runs
   */
  constructor(
    client: KafkaClient,
    topic: string,
    serve: (node: number) => Promise<void>,
    onAssigned: () => void = () => {},
  ) {
    this.#client = client
    this.#topic = topic
    this.#serve = serve
    this.#onAssigned = onAssigned
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
    this.#places.set(partition, { node: undefined, dueAt: 0, retries: this.#client.retryPolicy() })
    this.#changed.resolve()
  }

  remove(partition: number): void {
    this.#places.delete(partition)
    this.#preferred.delete(partition)
    this.#client.health.over(partition)
    this.#changed.resolve()
  }

  /** Clears the trouble of a partition that has nothing to do now. */
  idle(partition: number): void {
    this.#client.health.over(partition)
  }

  partitionsOf(node: number): number[] {
    const partitions: number[] = []
    if (this.stopped) return partitions
    for (const [partition, place] of this.#places) if (place.node === node) partitions.push(partition)
    return partitions
  }

  /**
   * Looks up the leader of a partition that cannot be served, after a pause.
   * @param pauseMs overrides the pause of the retry policy
   */
  lost(partition: number, cause: unknown, pauseMs?: number): void {
    if (this.#places.has(partition)) this.#postpone([partition], cause, pauseMs)
  }

  /**
   * Serves a partition from a nearer replica that the leader named (KIP-392), until that replica fails or its lease
   * ends.
   */
  prefer(partition: number, node: number): void {
    if (!this.#client.knows(node)) return
    const leaseMs = this.#client.metadataMaxAgeMs || leaseMsDefault
    this.#preferred.set(partition, { node, until: performance.now() + leaseMs })
    this.#unassign(partition)
  }

  /** Moves a partition back to its leader. @returns whether another replica served it */
  leavePreferred(partition: number): boolean {
    if (!this.#preferred.delete(partition)) return false
    this.#unassign(partition)
    return true
  }

  /** Moves partitions back to their leaders if their lease with another replica has ended. */
  endLeases(): void {
    if (this.#preferred.size === 0) return
    const now = performance.now()
    for (const [partition, { until }] of this.#preferred) if (until < now) this.leavePreferred(partition)
  }

  /** Resets the pause of a partition that was served. */
  succeeded(partition: number): void {
    this.#places.get(partition)?.retries.reset()
    this.#client.health.succeeded(partition)
  }

  /** Runs until stop(). Rejects with a failure that is not Kafka's: a corrupt changelog, exhausted memory, a defect. */
  async run(): Promise<void> {
    while (!this.stopped) {
      this.#changed = Promise.withResolvers<void>()
      const unassigned = [...this.#places].filter(([, { node }]) => node === undefined)
      const now = performance.now()
      const due = unassigned.filter(([, { dueAt }]) => dueAt <= now).map(([partition]) => partition)
      if (due.length > 0) await this.#assign(due)
      else await this.#untilDue(Math.min(...unassigned.map(([, { dueAt }]) => dueAt)) - now)
    }
    await Promise.race([Promise.all(this.#loops.values()), this.#fatal.promise])
  }

  stop(): void {
    for (const partition of this.#places.keys()) this.#client.health.over(partition)
    this.#stopping.abort()
    this.#changed.resolve()
  }

  /** Resolves when a partition has changed or after `ms`. If nothing is due, waits for a change only. */
  async #untilDue(ms: number): Promise<void> {
    const changed = Promise.race([this.#changed.promise, this.#fatal.promise])
    await (ms === Number.POSITIVE_INFINITY ? changed : deadline(changed, ms, () => undefined))
  }

  #unassign(partition: number): void {
    const place = this.#places.get(partition)
    if (place !== undefined) place.node = undefined
    this.#changed.resolve()
  }

  async #assign(unassigned: readonly number[]): Promise<void> {
    try {
      const found = new Set<number>()
      for (const [leader, partitions] of await this.#client.leaders(this.#topic, unassigned)) {
        for (const partition of partitions) {
          const place = this.#places.get(partition)
          if (place === undefined) continue
          place.node = this.#preferred.get(partition)?.node ?? leader
          found.add(place.node)
        }
      }
      for (const node of found) {
        if (this.#loops.has(node)) this.#onAssigned()
        else this.#start(node)
      }
      for (const partition of unassigned) {
        if (this.#places.get(partition)?.node === undefined) this.lost(partition, this.#leaderless(partition))
      }
    } catch (error) {
      this.#postpone(unassigned, error)
    }
  }

  #leaderless(partition: number): LatchkeyError {
    const attempted = `Finding the leader of ${this.#topic} partition ${partition}`
    return leaderless(this.#client, attempted, this.#topic, [partition])
  }

  #start(node: number): void {
    if (this.#loops.has(node) || this.partitionsOf(node).length === 0) return
    const loop = this.#loop(node).finally(() => {
      this.#loops.delete(node)
      // A partition may have been assigned to this node while its loop was ending.
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

  /**
   * Looks up the leaders of partitions that were served together, after a pause. Ends the run if a retry cannot help.
   */
  #postpone(partitions: readonly number[], error: unknown, pauseMs?: number): void {
    if (this.stopped) return
    if (!(error instanceof LatchkeyError) || !(error.retriable || refusals.has(error.code))) return this.#end(error)
    const places = partitions.flatMap((partition) => this.#places.get(partition) ?? [])
    const broker = this.#client.addressOf(places[0]?.node)
    if (places.length > 0) this.#client.health.failed(error, { partitions, broker })
    try {
      // Metadata lags behind a leader that moves. Without a pause, this would repeat as fast as the brokers answer.
      const dueAt =
        performance.now() +
        (pauseMs ?? Math.max(...places.map(({ retries: retryPolicy }) => retryPolicy.nextMs(error))))
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

/**
 * How long to fetch from a replica that the leader named, if metadata is not refreshed. The Java consumer's default.
 */
const leaseMsDefault = 300_000

/** Errors that a retry cannot solve, but an operator can (a revoked permission). They are shown and retried. */
const refusals: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['broker_refused', 'authentication_failed'])
