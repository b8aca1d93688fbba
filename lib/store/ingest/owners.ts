/** The store's claim on its changelog partitions: who it writes as, and how it takes a partition anew. */
import { fencePartition, noIdentity, plainProducerId, type ProducerIdentity } from '../../kafka/fence.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { clientsConfigOf, transactionalIdOf } from '../clients.ts'
import { type StoreConfig } from '../../contract/store-config.ts'

export class Owners {
  readonly #client: KafkaClient
  readonly #config: StoreConfig
  readonly #identities = new Map<number, ProducerIdentity>()

  constructor(client: KafkaClient, config: StoreConfig) {
    this.#client = client
    this.#config = config
  }

  identity(partition: number): ProducerIdentity | undefined {
    return this.#identities.get(partition)
  }

  /** Takes partitions, in parallel. Whoever wrote them before is refused from now on, unless FENCING=false. */
  async take(partitions: readonly number[]): Promise<void> {
    // A leader that has not opened one of them yet (the topic is new, the broker has just started) would let the markers of all wait for
    // 30 s: Kafka 4.1 does not answer itself there (KafkaApis.handleWriteTxnMarkersRequest). Those that answer this have opened them.
    await this.#client.persist(() => listOffsets(this.#client, this.#config.changelogTopic, partitions, 'latest'))
    await Promise.all(partitions.map((partition) => this.#take(partition)))
  }

  /** Takes a partition that is held already; rejects with `fenced` if someone else has taken it since. */
  async renew(partition: number, held: ProducerIdentity): Promise<ProducerIdentity> {
    await this.#take(partition, held)
    return this.#identities.get(partition)!
  }

  async #take(partition: number, held?: ProducerIdentity): Promise<void> {
    const { changelogTopic, fencing } = this.#config
    const { isIdempotent, transactionTimeoutMs } = clientsConfigOf(this.#config).producer.produce
    const id = transactionalIdOf(this.#config, partition)
    const identity = await this.#client.persist(async () => {
      if (fencing) return fencePartition(this.#client, id, changelogTopic, partition, held, transactionTimeoutMs)
      return isIdempotent ? plainProducerId(this.#client) : noIdentity
    })
    this.#identities.set(partition, identity)
  }
}

/** What a user is told who has two instances on one partition. */
export function fencedAdvice(storeId: string, partition: number): string {
  return (
    `another instance of store ${storeId} has taken partition ${partition}: it is served as it is and written no more; ` +
    'stop one of the two, or give them different PARTITIONS'
  )
}
