/**
 * The store's ownership of its changelog partitions: the producer identities that it writes with, and how it takes a
 * partition again.
 */
import { LatchkeyError } from '../../errors.ts'
import { type Claim, fencePartition, identityOf, isOwn, newClaim } from '../../kafka/fence.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { noIdentity, plainProducerId, type ProducerIdentity } from '../../kafka/transactional-id.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import { type Clients, clientsConfigOf, transactionalIdOf } from '../../topics/clients.ts'
import { hasSuccessor, markersFrom } from '../recovery/changelog-check.ts'

/** Number of producer ids a partition that identify the store's own batches without fencing. */
const identitiesMax = 8

/** Maximum number of connections to a broker over which partitions are taken at start. */
const lanesMax = 4
/** A connection that takes fewer partitions saves less time than opening it takes. */
const partitionsPerLane = 32

export class PartitionOwnership {
  readonly #clients: Clients
  readonly #config: StoreConfig
  readonly #claims = new Map<number, Claim>()
  /** Producer identities by partition without fencing, where nothing is claimed. */
  readonly #unclaimed = new Map<number, ProducerIdentity[]>()
  readonly #terms = new Map<number, number>()

  constructor(clients: Clients, config: StoreConfig) {
    this.#clients = clients
    this.#config = config
  }

  identity(partition: number): ProducerIdentity | undefined {
    const claim = this.#claims.get(partition)
    return claim === undefined ? this.#unclaimed.get(partition)?.at(-1) : identityOf(claim)
  }

  /** Changelog offset of the last marker of this instance's fences, as far as it is known; -1 if none is. */
  term(partition: number): number {
    return this.#terms.get(partition) ?? -1
  }

  /** Notes where a marker of this instance is. */
  noteMarker(partition: number, offset: number): void {
    this.#terms.set(partition, offset)
  }

  /**
   * @returns a predicate: whether this instance wrote a batch of the partition. If the instance has no identity
   *   (FENCING=false, no idempotence), batches without one count as its own
   */
  isOwn(partition: number): (written: ProducerIdentity) => boolean {
    const claim = this.#claims.get(partition)
    if (claim !== undefined) return (written) => isOwn(claim, written)
    const own = this.#unclaimed.get(partition) ?? []
    return ({ producerId }) => own.some((one) => one.producerId === producerId)
  }

  /**
   * Takes partitions, in parallel. From then on the broker refuses writes of earlier owners, unless FENCING=false.
   * @returns those that another instance has taken meanwhile
   */
  async acquire(partitions: readonly number[]): Promise<Map<number, LatchkeyError>> {
    // A leader that has not opened one of the partitions yet (the topic is new, or the broker has just started) would
    // delay the markers of all partitions by 30 s, because Kafka 4.1 does not answer itself in this case
    // (KafkaApis.handleWriteTxnMarkersRequest). A leader that answers this request has opened them.
    const { producer } = this.#clients
    await producer.retryForever(() => listOffsets(producer, this.#config.changelogTopic, partitions, 'latest'))
    // A fence is three requests in a row, and each is replicated before the coordinator takes the next one of the
    // same connection.
    const lanes = Math.min(Math.ceil(partitions.length / partitionsPerLane), lanesMax)
    const refused = new Map<number, LatchkeyError>()
    const taking = partitions.map(async (partition, index) => {
      if (!this.#config.fencing) return this.#take(partition)
      const claim = newClaim()
      try {
        await this.#fence(partition, claim, 0, index % lanes)
        this.#claims.set(partition, claim)
      } catch (error) {
        if (!(error instanceof LatchkeyError) || error.code !== 'fenced') throw error
        refused.set(partition, error)
      }
    })
    try {
      await Promise.all(taking)
    } finally {
      producer.closeLanes()
    }
    return refused
  }

  /**
   * Takes a partition again. Rejects with `fenced` if another instance has taken it since.
   * @param from changelog offset from which a foreign marker may exist
   */
  async renew(partition: number, from: number): Promise<ProducerIdentity> {
    const claim = this.#claims.get(partition)
    if (claim === undefined) await this.#take(partition)
    else {
      await this.#fence(partition, claim, from)
      await this.#requireNoSuccessor(partition, from)
    }
    return this.identity(partition)!
  }

  async #fence(partition: number, claim: Claim, from: number, lane = 0): Promise<void> {
    const { changelogTopic: topic } = this.#config
    const { transactionTimeoutMs } = clientsConfigOf(this.#config).producer.produce
    const transactionalId = transactionalIdOf(this.#config, partition)
    const { changelog, producer: client } = this.#clients
    const markers = () => markersFrom(changelog, topic, partition, from)
    const target = { client, transactionalId, topic, partition, transactionTimeoutMs, lane, markers }
    await fencePartition(target, claim)
  }

  /**
   * Rejects with `fenced` if a later owner has written to the partition. A broker that has forgotten the owner grants
   * the partition to the first instance that requests it. An owner that has written since has gone further. Writes of
   * this instance would be older than its records, and no reader could detect that.
   */
  async #requireNoSuccessor(partition: number, from: number): Promise<void> {
    const { changelogTopic } = this.#config
    const { changelog } = this.#clients
    const ownMarker = (offset: number) => this.noteMarker(partition, offset)
    if (!(await hasSuccessor(changelog, changelogTopic, partition, from, this.isOwn(partition), ownMarker))) return
    const found = 'another instance has taken it since and written to it, which the broker has forgotten'
    throw new LatchkeyError('fenced', `Taking ${changelogTopic} partition ${partition}: ${found}`)
  }

  async #take(partition: number): Promise<void> {
    const { isIdempotent } = clientsConfigOf(this.#config).producer.produce
    const { producer } = this.#clients
    const identity = isIdempotent ? await producer.retryForever(() => plainProducerId(producer)) : noIdentity
    this.#unclaimed.set(partition, [...(this.#unclaimed.get(partition) ?? []), identity].slice(-identitiesMax))
  }
}

/** Returns the advice for a user with two instances on one partition. */
export function fencedAdvice(storeId: string, partition: number): string {
  return (
    `another instance of store ${storeId} has taken partition ${partition}. This instance serves it unchanged and no longer writes it. ` +
    'Stop this one, or stop the other and restart this one, or give them different PARTITIONS. ' +
    'If the others have ELASTIC=true, restart this one with it, too'
  )
}
