/**
 * A transaction coordinator with one transactional id, and the markers of the one partition, as Kafka 4.1 has them (TransactionCoordinator,
 * TransactionMetadata). Each owner has its own client, which loses requests and answers as the test says.
 */
import { LatchkeyError } from '../../../../lib/errors.ts'
import { Backoff } from '../../../../lib/kafka/backoff.ts'
import type { KafkaClient } from '../../../../lib/kafka/client.ts'
import type { RawRequest } from '../../../../lib/kafka/connection/raw-request.ts'
import { RetryPolicy } from '../../../../lib/kafka/retry-policy.ts'
import type { FenceTarget, ProducerIdentity } from '../../../../lib/kafka/transactional-id.ts'

const invalidProducerEpoch = 47
const invalidTransactionState = 48
const invalidProducerIdMapping = 49
const concurrentTransactions = 51

export type Api = 'InitProducerId' | 'AddPartitionsToTxn' | 'EndTxn'
/** What happens to a request: the broker does not get it, its answer is lost, or it arrives only with `deliverLate`. */
export type Fault = 'request' | 'answer' | 'late'

interface Metadata extends ProducerIdentity {
  lastEpoch: number
  isOngoing: boolean
}

export class FakeCoordinator {
  readonly markers: ProducerIdentity[] = []
  /** Its own markers reach the partition only when it ends. */
  isLagging = false
  #metadata: Metadata | undefined
  #producerIds = 0

  /** transactional.id.expiration.ms has passed. A transaction under way keeps the id. */
  expire(): void {
    if (this.#metadata?.isOngoing !== true) this.#metadata = undefined
  }

  /** As after the loss of its log's tail. */
  forgetTransaction(): void {
    this.#metadata!.isOngoing = false
  }

  /** The transaction's timeout has passed. */
  timeOut(): void {
    if (this.#metadata?.isOngoing === true) this.#abort(this.#metadata)
  }

  initProducerId(stated: ProducerIdentity): ProducerIdentity | number {
    const metadata = (this.#metadata ??= {
      producerId: ++this.#producerIds,
      producerEpoch: -1,
      lastEpoch: -1,
      isOngoing: false,
    })
    const isNew = metadata.producerEpoch === -1
    if (stated.producerId >= 0 && !isNew && stated.producerId !== metadata.producerId) return invalidProducerEpoch
    if (metadata.isOngoing) {
      this.#abort(metadata)
      return concurrentTransactions
    }
    if (stated.producerId < 0) {
      metadata.producerEpoch++
      metadata.lastEpoch = -1
    } else if (isNew || stated.producerEpoch === metadata.producerEpoch) {
      metadata.lastEpoch = metadata.producerEpoch++
    } else if (stated.producerEpoch !== metadata.lastEpoch) return invalidProducerEpoch
    return { producerId: metadata.producerId, producerEpoch: metadata.producerEpoch }
  }

  addPartitions(producer: ProducerIdentity): number {
    const errorCode = this.#check(producer)
    if (errorCode === 0) this.#metadata!.isOngoing = true
    return errorCode
  }

  endTransaction(producer: ProducerIdentity): number {
    const errorCode = this.#check(producer)
    if (errorCode !== 0) return errorCode
    const metadata = this.#metadata!
    const isEnded = this.markers.some((one) => isSame(one, producer))
    if (!metadata.isOngoing) return isEnded ? 0 : invalidTransactionState
    metadata.isOngoing = false
    this.markers.push({ ...producer })
    return 0
  }

  /** The broker fences the producer: its transaction is aborted with the next epoch. */
  #abort(metadata: Metadata): void {
    metadata.isOngoing = false
    metadata.producerEpoch++
    metadata.lastEpoch = -1
    const { producerId, producerEpoch } = metadata
    if (!this.isLagging) this.markers.push({ producerId, producerEpoch })
  }

  #check({ producerId, producerEpoch }: ProducerIdentity): number {
    if (this.#metadata?.producerId !== producerId) return invalidProducerIdMapping
    return this.#metadata.producerEpoch === producerEpoch ? 0 : invalidProducerEpoch
  }
}

/** One owner's way to it. */
export class CoordinatorClient {
  /** What happens to the next requests of each kind, in order; nothing where none is left. */
  readonly faults: Partial<Record<Api, Fault[]>> = {}
  /** Called before each request arrives. */
  arriving: (api: Api) => void = () => {}
  /** Called after each loss, before the request is repeated. */
  interrupted: () => Promise<void> = async () => {}
  requests = 0
  readonly requestTimeoutMs = 1_000
  readonly signal = new AbortController().signal
  readonly #coordinator: FakeCoordinator
  readonly #late: (() => void)[] = []

  constructor(coordinator: FakeCoordinator) {
    this.#coordinator = coordinator
  }

  get target(): FenceTarget {
    const client = this as unknown as KafkaClient
    const markers = async () => [...this.#coordinator.markers]
    return { client, transactionalId: 'id', topic: 'changelog', partition: 0, markers }
  }

  deliverLate(): void {
    for (const deliver of this.#late.splice(0)) deliver()
  }

  retryPolicy(): RetryPolicy {
    return new RetryPolicy(new Backoff({ firstMs: 0, maxMs: 0 }))
  }

  async retryForever<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation()
      } catch (error) {
        if (!(error instanceof LatchkeyError) || !error.retriable) throw error
        if (error.code === 'broker_unreachable') await this.interrupted()
      }
    }
  }

  async coordinator(): Promise<number> {
    return 1
  }

  forgetCoordinator(): void {}

  closeLanes(): void {}

  async send(_node: number, { encode }: RawRequest): Promise<Buffer> {
    const { buffer } = encode() as unknown as { buffer: Buffer }
    const at = buffer.length - 11
    const stated = { producerId: Number(buffer.readBigInt64BE(at)), producerEpoch: buffer.readInt16BE(at + 8) }
    const answer = this.#pass('InitProducerId', () => this.#coordinator.initProducerId(stated))
    const response = Buffer.alloc(1 + 4 + 2 + 8 + 2 + 1)
    if (typeof answer === 'number') response.writeInt16BE(answer, 5)
    else {
      response.writeBigInt64BE(BigInt(answer.producerId), 7)
      response.writeInt16BE(answer.producerEpoch, 15)
    }
    return response
  }

  async call(_node: number, api: Api, _version: number, args: Record<string, unknown>): Promise<unknown> {
    const producer = { producerId: Number(args['producerId']), producerEpoch: args['producerEpoch'] as number }
    if (api === 'EndTxn') return { errorCode: this.#pass(api, () => this.#coordinator.endTransaction(producer)) }
    const errorCode = this.#pass(api, () => this.#coordinator.addPartitions(producer))
    return { errors: [{ partitionErrors: [{ errorCode }] }] }
  }

  #pass<T>(api: Api, arrive: () => T): T {
    if (++this.requests > 100) throw new Error('it asks without end')
    this.arriving(api)
    const fault = this.faults[api]?.shift()
    if (fault === 'late') this.#late.push(arrive)
    const answer = fault === undefined || fault === 'answer' ? arrive() : undefined
    if (fault === undefined) return answer!
    throw new LatchkeyError('broker_unreachable', `${api}: cut`)
  }
}

export function isSame(one: ProducerIdentity | undefined, other: ProducerIdentity): boolean {
  return one?.producerId === other.producerId && one.producerEpoch === other.producerEpoch
}
