/** The store's claim on its changelog partitions: who it writes as, and how it takes a partition anew. */
import { type Claim, fencePartition, identityOf, isOwn, newClaim } from '../../kafka/fence.ts'
import { noIdentity, plainProducerId, type ProducerIdentity } from '../../kafka/transactional-id.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { type Clients, clientsConfigOf, transactionalIdOf } from '../../topics/clients.ts'
import { type StoreConfig } from '../../store-protocol/store-config.ts'
import { LatchkeyError } from '../../errors.ts'
import { hasSuccessor, markersFrom } from '../recovery/changelog-check.ts'

/** Without fencing, of how many producer ids a partition's own batches are known by. */
const identitiesMax = 8

export class Owners {
  readonly #clients: Clients
  readonly #config: StoreConfig
  readonly #claims = new Map<number, Claim>()
  /** Without fencing, nothing is claimed. */
  readonly #unclaimed = new Map<number, ProducerIdentity[]>()

  constructor(clients: Clients, config: StoreConfig) {
    this.#clients = clients
    this.#config = config
  }

  identity(partition: number): ProducerIdentity | undefined {
    const claim = this.#claims.get(partition)
    return claim === undefined ? this.#unclaimed.get(partition)?.at(-1) : identityOf(claim)
  }

  /** @returns whether a batch of the partition was written by this instance: without an identity, nobody knows, and it counts as ours */
  isOwn(partition: number): (written: ProducerIdentity) => boolean {
    const claim = this.#claims.get(partition)
    if (claim !== undefined) return (written) => isOwn(claim, written)
    const own = this.#unclaimed.get(partition) ?? []
    return ({ producerId }) => own.some((one) => one.producerId === producerId)
  }

  /** Takes partitions, in parallel. Whoever wrote them before is refused from now on, unless FENCING=false. */
  async take(partitions: readonly number[]): Promise<void> {
    // A leader that has not opened one of them yet (the topic is new, the broker has just started) would let the markers of all wait for
    // 30 s: Kafka 4.1 does not answer itself there (KafkaApis.handleWriteTxnMarkersRequest). Those that answer this have opened them.
    const { producer } = this.#clients
    await producer.persist(() => listOffsets(producer, this.#config.changelogTopic, partitions, 'latest'))
    await Promise.all(
      partitions.map(async (partition) => {
        if (!this.#config.fencing) return this.#take(partition)
        const claim = newClaim()
        await this.#fence(partition, claim, 0)
        this.#claims.set(partition, claim)
      }),
    )
  }

  /**
   * Takes a partition that is held already; rejects with `fenced` if someone else has taken it since.
   * @param from changelog offset from which on somebody else's marker may stand
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

  async #fence(partition: number, claim: Claim, from: number): Promise<void> {
    const { changelogTopic: topic } = this.#config
    const { transactionTimeoutMs } = clientsConfigOf(this.#config).producer.produce
    const transactionalId = transactionalIdOf(this.#config, partition)
    const { changelog, producer: client } = this.#clients
    const markers = () => markersFrom(changelog, topic, partition, from)
    const target = { client, transactionalId, topic, partition, transactionTimeoutMs, markers }
    await fencePartition(target, claim)
  }

  /**
   * The broker grants a partition to whoever asks first where it has forgotten who had it last. Who has written as its owner since is the later one, and has
   * gone further than we have: what we wrote now would be older, and nobody could tell.
   */
  async #requireNoSuccessor(partition: number, from: number): Promise<void> {
    const { changelogTopic } = this.#config
    const { changelog } = this.#clients
    if (!(await hasSuccessor(changelog, changelogTopic, partition, from, this.isOwn(partition)))) return
    const found = 'another instance has taken it since and written to it, which the broker has forgotten'
    throw new LatchkeyError('fenced', `Taking ${changelogTopic} partition ${partition}: ${found}`)
  }

  async #take(partition: number): Promise<void> {
    const { isIdempotent } = clientsConfigOf(this.#config).producer.produce
    const { producer } = this.#clients
    const identity = isIdempotent ? await producer.persist(() => plainProducerId(producer)) : noIdentity
    this.#unclaimed.set(partition, [...(this.#unclaimed.get(partition) ?? []), identity].slice(-identitiesMax))
  }
}

/** What a user is told who has two instances on one partition. */
export function fencedAdvice(storeId: string, partition: number): string {
  return (
    `another instance of store ${storeId} has taken partition ${partition}: it is served as it is and written no more; ` +
    'stop one of the two, or give them different PARTITIONS'
  )
}
