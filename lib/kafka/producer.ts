/**
 * Writes record batches to partitions of one topic: in order, at most one outstanding a partition, idempotent. A batch that was
 * perhaps written is written again, with the same sequence, before anything after it; the broker drops the repeat.
 */
import { ByLeader } from './by-leader.ts'
import { type KafkaClient } from './client.ts'
import { brokerError, errorAction } from './protocol/error-codes.ts'
import { type OutgoingBatch, type PartitionEnd, type ProducerOptions, type ProducerSink } from './producer-sink.ts'
import { type ProducerIdentity } from './transactional-id.ts'
import { parseProduceResponse, type ProduceBatch, produceRequest, type ProduceResult } from './protocol/produce.ts'
import { LatchkeyError } from '../errors.ts'

export type { OffsetRange, OutgoingBatch, PartitionEnd, ProducerOptions, ProducerSink } from './producer-sink.ts'

interface Owned<Batch> {
  identity: ProducerIdentity
  sequence: number
  /** Written next, before anything else: what was perhaps written already, or what replaces a refused batch. */
  pending: Batch[]
  /** Where our next batch has to land if nobody else writes; -1 where it is not known. */
  expectedOffset: number
  /** Offset after the last record that was acknowledged, or read before. */
  endOffset: number
  /** It is to be renewed before its next batch: resolved then, or when it is lost. */
  renewDue: PromiseWithResolvers<void> | undefined
  isRenewing: boolean
  /** Number of the last request that wrote it: the partition longest without comes first, so that none starves where a request is full. */
  writtenBy: number
}

export class Producer<Batch extends OutgoingBatch> {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #options: ProducerOptions
  readonly #sink: ProducerSink<Batch>
  readonly #byLeader: ByLeader
  readonly #owned = new Map<number, Owned<Batch>>()
  #requests = 0
  /** Resolved and replaced by wake(), so that every loop that sleeps on it is woken. */
  #awake = Promise.withResolvers<void>()

  constructor(client: KafkaClient, topic: string, options: ProducerOptions, sink: ProducerSink<Batch>) {
    this.#client = client
    this.#topic = topic
    this.#options = options
    this.#sink = sink
    const wake = () => this.wake()
    this.#byLeader = new ByLeader(client, topic, (node) => this.#serve(node), wake)
    this.#byLeader.signal.addEventListener('abort', wake, { once: true })
  }

  own(partition: number, identity: ProducerIdentity, end: PartitionEnd): void {
    const expectedOffset = end.isSure ? end.offset : -1
    const endOffset = end.offset
    this.#owned.get(partition)?.renewDue?.resolve()
    const fresh = { sequence: 0, pending: [], renewDue: undefined, isRenewing: false, writtenBy: 0 }
    this.#owned.set(partition, { identity, expectedOffset, endOffset, ...fresh })
    this.#byLeader.add(partition)
  }

  /** Offset after the last record that is known to be in the partition; -1 for one that is not owned. */
  endOffset(partition: number): number {
    return this.#owned.get(partition)?.endOffset ?? -1
  }

  identity(partition: number): ProducerIdentity | undefined {
    return this.#owned.get(partition)?.identity
  }

  /** Takes back what a partition had still to write, oldest first: from within refused() or renew(), when none of it is under way. */
  withdraw(partition: number): Batch[] {
    return this.#owned.get(partition)?.pending.splice(0) ?? []
  }

  /** Tells that next() may have something. */
  wake(): void {
    const sleepers = this.#awake
    this.#awake = Promise.withResolvers<void>()
    sleepers.resolve()
  }

  /** Gets a new identity for every partition before its next batch. */
  renewAll(): void {
    for (const partition of this.#owned.keys()) void this.renew(partition)
  }

  /** Gets a new identity for a partition, even where there is no next batch. Resolves when it has it, or is lost. */
  async renew(partition: number): Promise<void> {
    const owned = this.#owned.get(partition)
    if (owned === undefined) return
    owned.renewDue ??= Promise.withResolvers()
    this.wake()
    await owned.renewDue.promise
  }

  run(): Promise<void> {
    return this.#byLeader.run()
  }

  stop(): void {
    this.#byLeader.stop()
  }

  async #serve(node: number): Promise<void> {
    while (this.#byLeader.partitionsOf(node).length > 0) {
      this.#sink.beforeRequest?.()
      for (const partition of this.#byLeader.partitionsOf(node)) {
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
      const results = parseProduceResponse(
        await this.#client.send(node, request, timeoutMs + this.#client.requestTimeoutMs, {
          topic: this.#topic,
          partitions: batches.map(({ partition }) => partition),
        }),
      )
      for (const result of results) this.#settle(result)
    }
  }

  #collect(node: number): ProduceBatch[] {
    const batches: ProduceBatch[] = []
    let bytes = 0
    this.#requests++
    const waiting = this.#byLeader
      .partitionsOf(node)
      .map((partition) => ({ partition, owned: this.#owned.get(partition)! }))
    for (const { partition, owned } of waiting.toSorted((a, b) => a.owned.writtenBy - b.owned.writtenBy)) {
      if (owned.isRenewing || owned.renewDue || this.#sink.holds?.(partition) === true) continue
      if (owned.pending.length === 0) {
        const next = this.#sink.next(partition)
        if (next === undefined) {
          this.#byLeader.idle(partition)
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

  #settle(result: ProduceResult): void {
    const { partition, errorCode } = result
    const owned = this.#owned.get(partition)
    if (owned === undefined) return
    if (errorCode === 0 || errorCode === duplicateSequence) {
      this.#byLeader.succeeded(partition)
      this.#acknowledged(partition, owned, result.baseOffset)
      return
    }
    const error = brokerError(
      `Writing to ${this.#topic} partition ${partition}`,
      errorCode,
      writeAdvice(this.#topic, errorCode),
    )
    switch (errorAction(errorCode)) {
      case 'fence':
        // Whether another owner is why, taking the partition again tells.
        void this.#renew(partition, owned, new LatchkeyError('broker_error', error.message))
        break
      case 'record':
        owned.pending.splice(0, 1, ...this.#sink.refused(partition, owned.pending[0]!, error))
        break
      case 'sequence':
        void this.#renew(partition, owned)
        break
      default:
        // It is tried again after a pause, where its leader is then; the others of this broker go on.
        this.#byLeader.lost(partition, error)
    }
  }

  #acknowledged(partition: number, owned: Owned<Batch>, baseOffset: number): void {
    if (baseOffset >= 0 && baseOffset < owned.endOffset) {
      this.#sink.wentBack(partition, baseOffset)
      owned.renewDue ??= Promise.withResolvers()
    }
    const batch = owned.pending.shift()!
    // Behind a renewal there are markers at least.
    const from = owned.expectedOffset < 0 ? owned.endOffset : owned.expectedOffset
    const foreign = from >= 0 && baseOffset > from ? { from, to: baseOffset } : undefined
    owned.sequence = (owned.sequence + batch.count) % 2 ** 31
    owned.expectedOffset = baseOffset < 0 ? -1 : baseOffset + batch.count
    owned.endOffset = Math.max(owned.endOffset, owned.expectedOffset)
    this.#sink.acknowledged(partition, batch, baseOffset, foreign)
  }

  /**
   * Beside the loop, in which the partition is left out meanwhile: taking it may need another broker that does not answer, and the others go on.
   * @param pauseFor what to pause for when it is taken
   */
  async #renew(partition: number, owned: Owned<Batch>, pauseFor?: LatchkeyError): Promise<void> {
    owned.isRenewing = true
    // What is asked for meanwhile is another one: something may have happened since this one began.
    const due = owned.renewDue
    owned.renewDue = undefined
    try {
      const identity = await this.#sink.renew(partition, owned.identity)
      due?.resolve()
      if (pauseFor !== undefined) this.#byLeader.lost(partition, pauseFor)
      if (identity === undefined) return
      owned.identity = identity
      owned.sequence = 0
      owned.expectedOffset = -1 // the marker of the new epoch lies between
    } catch (error) {
      if (owned.renewDue === undefined) owned.renewDue = due
      else due?.resolve()
      if ((error as LatchkeyError).code === 'fenced') this.lose(partition, error as LatchkeyError)
      else this.#byLeader.lost(partition, error)
    } finally {
      owned.isRenewing = false
      this.wake()
    }
  }

  /** Another owner has taken the partition. */
  lose(partition: number, error: LatchkeyError): void {
    this.#owned.get(partition)?.renewDue?.resolve()
    this.#owned.delete(partition)
    this.#byLeader.remove(partition)
    this.#sink.lost(partition, error)
  }
}

const duplicateSequence = 46
const topicAuthorizationFailed = 29

function writeAdvice(topic: string, errorCode: number): string | undefined {
  return errorCode === topicAuthorizationFailed ? `allow this user to WRITE topic ${topic}` : undefined
}
