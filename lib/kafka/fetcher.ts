/**
 * Fetches partitions of one topic from given positions. Each broker has one outstanding Fetch. The next Fetch is sent
 * before the last response is processed, so the broker and this thread work at the same time, and at most one response
 * per broker waits in memory.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LatchkeyError } from '../errors.ts'
import { isTrace } from '../log/index.ts'
import type { KafkaClient } from './client.ts'
import { releaseBody } from './connection/response-frames.ts'
import { DamagedBatches, damagedFetchError, isDamage } from './damaged-batches.ts'
import type { EpochTrail } from './epoch-trail.ts'
import type { FetchSink } from './fetch-sink.ts'
import type { FetchState, Outstanding } from './fetch-state.ts'
import { LeaderLoops } from './leader-loops.ts'
import { OutOfRange } from './out-of-range.ts'
import { OversizedBatches } from './oversized-batches.ts'
import { apiKeys } from './protocol/api-keys.ts'
import { brokerError, errorAction, topicAuthorizationFailed } from './protocol/error-codes.ts'
import { type FetchedPartition, type FetchOptions, fetchRequest, parseFetchResponse } from './protocol/fetch.ts'
import { isOversized, RecordBatchReader } from './record-batch/index.ts'
import { StableOffsetWatch } from './stable-offset-watch.ts'
import { logFetch, timingOf } from './transfer-log.ts'

export class Fetcher {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #options: FetchOptions
  readonly #loops: LeaderLoops
  readonly #outOfRange: OutOfRange
  readonly #damaged: DamagedBatches
  readonly #stable: StableOffsetWatch
  readonly #assigned = new Map<number, FetchState>()
  readonly #batches = new RecordBatchReader()
  /** Set by run(); no partition is served before. */
  #sink!: FetchSink
  #oversized!: OversizedBatches
  #fetches = 0
  #generations = 0

  constructor(client: KafkaClient, topic: string, options: FetchOptions) {
    this.#client = client
    this.#topic = topic
    this.#options = options
    this.#loops = new LeaderLoops(client, topic, (node) => this.#serve(node))
    this.#outOfRange = new OutOfRange(client, topic)
    this.#damaged = new DamagedBatches(client)
    this.#stable = new StableOffsetWatch(client, topic, options.isolation, this.#loops.signal)
  }

  /** Adds a partition, also one that was removed before. @param epochs collects the leader epochs of its batches */
  add(partition: number, position: number, epochs?: EpochTrail): void {
    this.#assigned.set(partition, { position, generation: ++this.#generations, servedBy: 0, epochs })
    this.#loops.add(partition)
  }

  remove(partition: number): void {
    this.#assigned.delete(partition)
    this.#loops.remove(partition)
    this.#stable.forget(partition)
  }

  /** Continues from another position. Drops pending data of the old one. */
  seek(partition: number, position: number): void {
    const assignment = this.#assigned.get(partition)
    if (assignment === undefined) return
    assignment.position = position
    assignment.generation = ++this.#generations
  }

  /** Fetches until stop(). */
  async run(sink: FetchSink): Promise<void> {
    this.#sink = sink
    this.#oversized = new OversizedBatches(sink, {
      detach: (partition) => this.#loops.remove(partition),
      generation: (partition) => (this.#loops.stopped ? undefined : this.#generation(partition)),
      seek: (partition, position) => this.seek(partition, position),
      reattach: (partition) => this.#loops.add(partition),
      failed: (partition, error) => this.#loops.lost(partition, error),
    })
    await this.#loops.run()
    await this.#oversized.settled
  }

  stop(): void {
    this.#loops.stop()
  }

  async #serve(node: number): Promise<void> {
    const versionMax = await this.#client.versionMax(node, apiKeys.Fetch)
    let outstanding = this.#send(node, versionMax)
    while (outstanding !== undefined) {
      const { generations, positions, askedAt, timing } = outstanding
      const response = await outstanding.response
      const parsed = parseFetchResponse(response, outstanding.apiVersion)
      if (timing !== undefined) logFetch(this.#topic, this.#client.addressOf(node), parsed, timing)
      const { errorCode, partitions } = parsed
      if (errorCode !== 0) throw brokerError(`Fetching ${this.#topic} from node ${node}`, errorCode)
      if (this.#loops.stopped) return
      const current = partitions.filter(({ partition }) => this.#generation(partition) === generations.get(partition))
      const good: FetchedPartition[] = []
      for (const fetched of current) {
        if (fetched.errorCode === 0) good.push(fetched)
        else await this.#partitionFailed(fetched, positions.get(fetched.partition)!)
      }
      for (const { partition } of good) if (!this.#damaged.isWaitingFor(partition)) this.#loops.succeeded(partition)
      for (const { partition, preferredReadReplica: replica } of good) {
        if (replica >= 0 && replica !== node) this.#loops.prefer(partition, replica)
      }
      for (const fetched of good) this.#advance(fetched)
      outstanding = this.#send(node, versionMax)
      for (const fetched of good) {
        const { partition } = fetched
        if (this.#generation(partition) !== generations.get(partition)) continue
        if (!this.#deliver(fetched, positions.get(partition)!, askedAt)) continue
        await nextTurn()
        await this.#sink.room()
      }
      if (this.#sink.keepsNothing === true) releaseBody(response)
      const room = this.#sink.room()
      if (room !== undefined) await room
    }
  }

  /** @returns whether others get their turn: the sink stopped early, or the batch is read in pieces */
  #deliver(fetched: FetchedPartition, position: number, askedAt: number): boolean {
    try {
      const next = this.#sink.received(fetched, position, askedAt)
      if (next !== undefined) this.seek(fetched.partition, next)
      this.#receivedIntact(fetched.partition, position)
      return next !== undefined
    } catch (error) {
      if (isOversized(error)) this.#oversized.readOrWait(fetched, error)
      else if (!isDamage(error)) throw error
      else this.#receivedDamaged(fetched, this.#sink.takenTo?.(fetched.partition) ?? position, error)
      return isOversized(error)
    }
  }

  #receivedIntact(partition: number, position: number): void {
    const to = this.#sink.takenTo?.(partition) ?? this.#assigned.get(partition)?.position ?? position
    if (this.#damaged.taken(partition, to)) this.#loops.succeeded(partition)
  }

  /** Fetches a damaged batch again until it counts as damaged in the log. Only its partition pauses. */
  #receivedDamaged(fetched: FetchedPartition, offset: number, fault: LatchkeyError): void {
    const { partition } = fetched
    this.seek(partition, offset)
    const pauseMs = this.#damaged.pauseMs(fetched, offset)
    if (pauseMs === undefined) {
      const times = this.#damaged.forget(partition)
      if (this.#sink.damaged === undefined) throw fault
      const next = this.#sink.damaged(partition, fault, times)
      if (next !== undefined) this.seek(partition, next)
      this.#loops.succeeded(partition)
    } else this.#loops.lost(partition, damagedFetchError(this.#topic, partition, fault.message), pauseMs)
  }

  #generation(partition: number): number | undefined {
    return this.#assigned.get(partition)?.generation
  }

  #send(node: number, versionMax: number): Outstanding | undefined {
    this.#loops.endLeases()
    const generations = new Map<number, number>()
    const positions = new Map<number, number>()
    const assignments = this.#loops
      .partitionsOf(node)
      .map((partition) => ({ partition, ...this.#assigned.get(partition)! }))
    for (const { partition, position, generation } of assignments.toSorted((a, b) => a.servedBy - b.servedBy)) {
      generations.set(partition, generation)
      positions.set(partition, position)
    }
    if (positions.size === 0) return undefined
    this.#fetches++
    const { topics } = this.#client
    const wanted = [...positions].map(([partition, offset]) => {
      return { partition, offset, leaderEpoch: topics.leaderEpoch(this.#topic, partition) }
    })
    const request = fetchRequest(this.#topic, wanted, this.#options, { id: topics.id(this.#topic), versionMax })
    const deadlineMs = this.#options.maxWaitMs + this.#client.requestTimeoutMs
    const purpose = { waitMs: this.#options.maxWaitMs, topic: this.#topic, partitions: [...positions.keys()] }
    const askedAt = Date.now()
    const response = this.#client.send(node, request, deadlineMs, purpose)
    // The response is awaited one iteration later. Without this, an earlier rejection would be unhandled.
    response.catch(() => {})
    const timing = isTrace() ? timingOf(response) : undefined
    return { response, apiVersion: request.apiVersion, generations, positions, askedAt, timing }
  }

  /** Next position = base offset + last offset delta + 1 of the last whole batch, also of an empty or control batch. */
  #advance(fetched: FetchedPartition): void {
    const assignment = this.#assigned.get(fetched.partition)
    if (assignment === undefined) return // removed during a callback of another partition
    this.#stable.heard(fetched)
    const batches = this.#batches
    batches.open(fetched.buffer, fetched.start, fetched.end)
    try {
      while (batches.nextBatch()) {
        if (batches.nextOffset <= assignment.position) continue
        if (assignment.epochs?.note(batches.partitionLeaderEpoch, batches.baseOffset)) {
          this.#sink.epochBegan?.(fetched.partition)
        }
        assignment.position = batches.nextOffset
        assignment.servedBy = this.#fetches
      }
    } catch {
      // The sink reads the same bytes and decides about them.
    }
  }

  /** Handles the error of one partition. The other partitions of its broker continue. */
  async #partitionFailed({ partition, errorCode }: FetchedPartition, position: number): Promise<void> {
    const attempted = `Fetching ${this.#topic} partition ${partition}`
    const advice = errorCode === topicAuthorizationFailed ? `allow this user to READ topic ${this.#topic}` : undefined
    const error = brokerError(attempted, errorCode, advice)
    if (errorAction(errorCode) !== 'reset') return this.#loops.lost(partition, error)
    // A replica behind its leader does not have the newest offsets.
    if (this.#loops.leavePreferred(partition)) return
    const generation = this.#generation(partition)
    try {
      if (!(await this.#outOfRange.isSure(partition, position))) return this.#loops.lost(partition, error)
      const next = await this.#sink.outOfRange(partition, position)
      if (this.#generation(partition) !== generation) return
      if (next === undefined) this.remove(partition)
      else this.seek(partition, next)
    } catch (failure) {
      if (!(failure instanceof LatchkeyError) || !failure.retriable) throw failure
      this.#loops.lost(partition, failure)
    }
  }
}
