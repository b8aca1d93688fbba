/**
 * Writes record batches to partitions of one topic: in order, at most one outstanding batch per partition, idempotent.
 * A batch that may have been written is sent again with the same sequence before any other. The broker drops the
 * duplicate.
 */
import { LatchkeyError } from '../errors.ts'
import { isTrace } from '../log/index.ts'
import type { KafkaClient } from './client.ts'
import { LeaderLoops } from './leader-loops.ts'
import type { OwnedPartition } from './producer-partition.ts'
import type { OutgoingBatch, PartitionEnd, ProducerOptions, ProducerSink } from './producer-sink.ts'
import { brokerError, duplicateSequence, errorAction, topicAuthorizationFailed } from './protocol/error-codes.ts'
import { parseProduceResponse, type ProduceBatch, produceRequest, type ProduceResult } from './protocol/produce.ts'
import type { ProducerIdentity } from './transactional-id.ts'
import { logProduce } from './transfer-log.ts'

export type { OffsetRange, OutgoingBatch, PartitionEnd, ProducerOptions, ProducerSink } from './producer-sink.ts'

export class Producer<Batch extends OutgoingBatch> {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #options: ProducerOptions
  readonly #loops: LeaderLoops
  readonly #owned = new Map<number, OwnedPartition<Batch>>()
  /** Set by run(); no partition is served before. */
  #sink!: ProducerSink<Batch>
  #requests = 0
  /** Resolved and replaced by wake(), which wakes every loop that waits for it. */
  #awake = Promise.withResolvers<void>()

  constructor(client: KafkaClient, topic: string, options: ProducerOptions) {
    this.#client = client
    this.#topic = topic
    this.#options = options
    const wake = () => this.wake()
    this.#loops = new LeaderLoops(client, topic, (node) => this.#serve(node), wake)
    this.#loops.signal.addEventListener('abort', wake, { once: true })
  }

  own(partition: number, identity: ProducerIdentity, end: PartitionEnd): void {
    const expectedOffset = end.isSure ? end.offset : -1
    const endOffset = end.offset
    this.#owned.get(partition)?.renewDue?.resolve()
    const fresh = { sequence: 0, pending: [], renewDue: undefined, isRenewing: false, writtenBy: 0 }
    this.#owned.set(partition, { identity, expectedOffset, endOffset, ...fresh })
    this.#loops.add(partition)
  }

  /** Offset after the last known record of the partition; -1 if it is not owned. */
  endOffset(partition: number): number {
    return this.#owned.get(partition)?.endOffset ?? -1
  }

  identity(partition: number): ProducerIdentity | undefined {
    return this.#owned.get(partition)?.identity
  }

  /**
   * Removes and returns unwritten batches, oldest first. Call it within refused() or renew(), when none is under way.
   */
  withdraw(partition: number): Batch[] {
    return this.#owned.get(partition)?.pending.splice(0) ?? []
  }

  /** Reports that next() may have a batch. */
  wake(): void {
    const sleepers = this.#awake
    this.#awake = Promise.withResolvers<void>()
    sleepers.resolve()
  }

  /** Gets a new identity for every partition before its next batch. */
  renewAll(): void {
    for (const partition of this.#owned.keys()) void this.renew(partition)
  }

  /** Gets a new identity for a partition, even without a next batch. Resolves when it has one, or is lost. */
  async renew(partition: number): Promise<void> {
    const owned = this.#owned.get(partition)
    if (owned === undefined) return
    owned.renewDue ??= Promise.withResolvers()
    this.wake()
    await owned.renewDue.promise
  }

  /** Writes until stop(). */
  run(sink: ProducerSink<Batch>): Promise<void> {
    this.#sink = sink
    return this.#loops.run()
  }

  stop(): void {
    this.#loops.stop()
  }

  async #serve(node: number): Promise<void> {
    while (this.#loops.partitionsOf(node).length > 0) {
      this.#sink.beforeRequest?.()
      for (const partition of this.#loops.partitionsOf(node)) {
        const owned = this.#owned.get(partition)!
        if (owned.renewDue !== undefined && !owned.isRenewing) void this.#renew(partition, owned)
      }
      const batches = this.#collect(node)
      if (batches.length === 0) {
        await this.#awake.promise
        continue
      }
      const { acks, timeoutMs } = this.#options
      const request = produceRequest(this.#topic, batches, acks, timeoutMs)
      const number = this.#requests
      const sentAt = isTrace() ? performance.now() : 0
      const results = parseProduceResponse(
        await this.#client.send(node, request, timeoutMs + this.#client.requestTimeoutMs, {
          topic: this.#topic,
          partitions: batches.map(({ partition }) => partition),
        }),
      )
      if (sentAt > 0) logProduce(this.#topic, this.#client.addressOf(node), batches, sentAt)
      for (const result of results) {
        const owned = this.#owned.get(result.partition)
        // It may have been given up meanwhile, and be owned again: then this request has not written it.
        if (owned?.writtenBy === number) this.#settle(result, owned)
      }
    }
  }

  #collect(node: number): ProduceBatch[] {
    const batches: ProduceBatch[] = []
    let bytes = 0
    this.#requests++
    const waiting = this.#loops
      .partitionsOf(node)
      .map((partition) => ({ partition, owned: this.#owned.get(partition)! }))
    for (const { partition, owned } of waiting.toSorted((a, b) => a.owned.writtenBy - b.owned.writtenBy)) {
      if (owned.isRenewing || owned.renewDue || this.#sink.holds?.(partition) === true) continue
      if (owned.pending.length === 0) {
        const next = this.#sink.next(partition)
        if (next === undefined) {
          this.#loops.idle(partition)
          continue
        }
        owned.pending.push(next)
      }
      const sealed = owned.pending[0]!.seal({
        ...owned.identity,
        baseSequence: owned.identity.producerId < 0 ? -1 : owned.sequence,
      })
      bytes += sealed.length
      if (batches.length > 0 && bytes > this.#options.maxRequestBytes) break
      owned.writtenBy = this.#requests
      batches.push({ partition, bytes: sealed })
    }
    return batches
  }

  #settle(result: ProduceResult, owned: OwnedPartition<Batch>): void {
    const { partition, errorCode } = result
    if (errorCode === 0 || errorCode === duplicateSequence) {
      this.#loops.succeeded(partition)
      this.#acknowledged(partition, owned, result.baseOffset)
      return
    }
    const attempted = `Writing to ${this.#topic} partition ${partition}`
    const error = brokerError(attempted, errorCode, writeAdvice(this.#topic, errorCode))
    switch (errorAction(errorCode)) {
      case 'fence':
        // Taking the partition again shows whether another owner is the cause.
        void this.#renew(partition, owned, new LatchkeyError('broker_error', error.message))
        break
      case 'record':
        owned.pending.splice(0, 1, ...this.#sink.refused(partition, owned.pending[0]!, error))
        break
      case 'sequence':
        void this.#renew(partition, owned)
        break
      default:
        // Retried after a pause, at the leader of that time. The other partitions of this broker continue.
        this.#loops.lost(partition, error)
    }
  }

  #acknowledged(partition: number, owned: OwnedPartition<Batch>, baseOffset: number): void {
    if (baseOffset >= 0 && baseOffset < owned.endOffset) {
      this.#sink.wentBack(partition, baseOffset)
      owned.renewDue ??= Promise.withResolvers()
    }
    const batch = owned.pending.shift()!
    // After a renewal, at least its markers lie in between.
    const from = owned.expectedOffset < 0 ? owned.endOffset : owned.expectedOffset
    const foreign = from >= 0 && baseOffset > from ? { from, to: baseOffset } : undefined
    owned.sequence = (owned.sequence + batch.count) % 2 ** 31
    owned.expectedOffset = baseOffset < 0 ? -1 : baseOffset + batch.count
    owned.endOffset = Math.max(owned.endOffset, owned.expectedOffset)
    this.#sink.acknowledged(partition, batch, baseOffset, foreign)
  }

  /**
   * Renews an identity outside the loop, which skips the partition meanwhile: another broker may be needed and not
   * answer.
   * @param pauseFor failure to pause for after the renewal
   */
  async #renew(partition: number, owned: OwnedPartition<Batch>, pauseFor?: LatchkeyError): Promise<void> {
    owned.isRenewing = true
    // A renewal that is requested from now on is a separate one: its cause may be newer than this one.
    const due = owned.renewDue
    owned.renewDue = undefined
    try {
      const identity = await this.#sink.renew(partition, owned.identity)
      due?.resolve()
      if (pauseFor !== undefined) this.#loops.lost(partition, pauseFor)
      if (identity === undefined) return
      owned.identity = identity
      owned.sequence = 0
      owned.expectedOffset = -1 // the marker of the new epoch lies between
    } catch (error) {
      if (owned.renewDue === undefined) owned.renewDue = due
      else due?.resolve()
      if (this.#owned.get(partition) !== owned) owned.renewDue?.resolve()
      else if ((error as LatchkeyError).code === 'fenced') this.lose(partition, error as LatchkeyError)
      else this.#loops.lost(partition, error)
    } finally {
      owned.isRenewing = false
      this.wake()
    }
  }

  /** Gives up a partition that another owner has taken. */
  lose(partition: number, error: LatchkeyError): void {
    this.#sink.lost(partition, error, this.disown(partition))
  }

  /**
   * Writes nothing more to a partition. A batch in flight may still be written; its result does not count.
   * @returns as endOffset()
   */
  disown(partition: number): number {
    const end = this.endOffset(partition)
    this.#owned.get(partition)?.renewDue?.resolve()
    this.#owned.delete(partition)
    this.#loops.remove(partition)
    return end
  }
}

function writeAdvice(topic: string, errorCode: number): string | undefined {
  return errorCode === topicAuthorizationFailed ? `allow this user to WRITE topic ${topic}` : undefined
}
