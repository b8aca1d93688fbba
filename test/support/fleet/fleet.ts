/** Instances of the executable over one topic on this machine: as a group, or each with partitions that are given to it. */
import { createTopic, type KafkaBroker, kafkaClient, type KafkaCluster, uniqueName } from '../kafka/index.ts'
import { until } from '../until.ts'
import { FleetInstance } from './fleet-instance.ts'

export interface FleetOptions {
  partitions?: number
  /** Without a group: each of so many instances has its share, and replicas of all others. */
  manual?: number
  /** Whether instances reach each other through proxies, and Kafka, too. */
  isProxied?: boolean
  settings?: Readonly<Record<string, string>>
  executable?: string | undefined
  /** Of the source. */
  topicConfig?: Readonly<Record<string, string>>
  /** Of a cluster: the coordinator of the group, or of the first partition's transactions, has no partition of source and changelog. */
  aside?: 'group' | 'transaction' | undefined
}

export type FleetKafka = KafkaBroker | KafkaCluster

const partitionsDefault = 12
const balanceTimeoutMs = 60_000

export class Fleet {
  readonly kafka: FleetKafka
  readonly topic: string
  readonly changelog: string
  /** In the order in which they were added; those that have ended, too. */
  readonly instances: FleetInstance[] = []
  readonly #options: FleetOptions
  #partitions: number
  /** Instances with partitions of their own: see FleetOptions.manual. */
  #manual: number | undefined

  static async open(kafka: FleetKafka, options: FleetOptions = {}): Promise<Fleet> {
    const { partitions = partitionsDefault, topicConfig = {}, aside } = options
    const topic = uniqueName('fleet')
    const replicas = aside && 'brokers' in kafka ? await replicasAside(kafka, topic, partitions, aside) : undefined
    const create = (name: string, config: Readonly<Record<string, string>>) => {
      const placed = { config, ...(replicas ? { replicas } : { partitions }) }
      return 'brokers' in kafka ? kafka.createTopic(name, placed) : createTopic(kafka, name, placed)
    }
    await create(topic, topicConfig)
    if (replicas) await create(`${topic}-changelog`, { 'cleanup.policy': 'compact' })
    return new Fleet(kafka, topic, partitions, options)
  }

  private constructor(kafka: FleetKafka, topic: string, partitions: number, options: FleetOptions) {
    this.kafka = kafka
    this.topic = topic
    this.changelog = `${topic}-changelog`
    this.#partitions = partitions
    this.#options = options
    this.#manual = options.manual
  }

  /** Addresses of brokers that answer now, past all proxies. */
  readonly direct = (): string => ('brokers' in this.kafka ? this.kafka.awake.join() : this.kafka.direct)

  /** Of the source. */
  get partitions(): number {
    return this.#partitions
  }

  /** Gives the source so many partitions. */
  async grow(partitions: number): Promise<void> {
    const admin = kafkaClient({ bootstrap: this.direct() }).admin()
    await admin.connect()
    try {
      await admin.createPartitions({ topicPartitions: [{ topic: this.topic, count: partitions }] })
    } finally {
      await admin.disconnect()
    }
    this.#partitions = partitions
  }

  /** Without a group nothing moves. */
  get isManual(): boolean {
    return this.#manual !== undefined
  }

  /** What is started from now on is of a group. */
  formGroup(): void {
    this.#manual = undefined
    for (const [index, instance] of this.instances.entries()) instance.configure(this.#settingsOf(index))
  }

  get running(): FleetInstance[] {
    return this.instances.filter((one) => one.isRunning)
  }

  /** A place for one more instance, which does not run yet. @param user number of the user that runs it */
  async place(user?: number): Promise<FleetInstance> {
    const { isProxied = false, executable } = this.#options
    const instance = await FleetInstance.at({
      name: nameOf(this.instances.length),
      storeId: this.topic,
      isBehindProxy: isProxied,
      executable,
      user,
      settings: this.#settingsOf(this.instances.length),
    })
    this.instances.push(instance)
    return instance
  }

  /** Starts this many more, at the same time, and resolves when all are ready. Places that were never used come first. */
  async add(count: number, timeoutMs?: number): Promise<FleetInstance[]> {
    const added = this.instances.filter(({ lives }) => lives.length === 0).slice(0, count)
    while (added.length < count) added.push(await this.place())
    await Promise.all(added.map((one) => one.startReady(timeoutMs)))
    return added
  }

  /** Of each partition, the instances that say that they are its primary and write it. */
  async primaries(among = this.running): Promise<FleetInstance[][]> {
    const found: FleetInstance[][] = Array.from({ length: this.partitions }, () => [])
    await Promise.all(
      among.map(async (instance) => {
        for (const { partition, state } of await instance.primaries()) {
          if (state === 'running') found[partition]?.push(instance)
        }
      }),
    )
    return found
  }

  /** Resolves when each partition has one primary among these. @returns milliseconds that it took */
  async hasPrimaries(among = this.running): Promise<number> {
    const from = performance.now()
    if (this.isManual) return 0
    await until(
      'each partition has one primary',
      async () => (await this.primaries(among)).every((owners) => owners.length === 1),
      balanceTimeoutMs,
    )
    return performance.now() - from
  }

  /** Resolves when, of all that run, the numbers of partitions differ by at most one, too. @returns milliseconds that it took */
  async balanced(): Promise<number> {
    const from = performance.now()
    const among = this.running
    if (this.isManual) return 0
    let shown = ''
    const isBalanced = async () => {
      const primaries = await this.primaries(among)
      const counts = among.map((one) => primaries.filter((owners) => owners.includes(one)).length)
      shown = counts.join(', ')
      return primaries.every((owners) => owners.length === 1) && Math.max(...counts) - Math.min(...counts) <= 1
    }
    await until('the group is balanced', isBalanced, balanceTimeoutMs).catch((cause: Error) => {
      throw new Error(`${cause.message}: the instances have ${shown} partitions`, { cause })
    })
    return performance.now() - from
  }

  async close(): Promise<void> {
    await Promise.all(this.instances.map((one) => one.close()))
  }

  #settingsOf(index: number): Readonly<Record<string, string>> {
    const { isProxied = false, settings } = this.#options
    return {
      SOURCE_TOPIC: this.topic,
      KAFKA_BROKERS: 'brokers' in this.kafka && isProxied ? this.kafka.proxied : this.kafka.bootstrap,
      KAFKA_CLIENT_PROPERTIES: `client.id=${nameOf(index)}`,
      AUTO_FLUSH_SECONDS: '0.05',
      ...this.#assignment(index),
      ...settings,
    }
  }

  #assignment(index: number): Readonly<Record<string, string>> {
    const manual = this.#manual
    if (manual === undefined) return { ELASTIC: 'true' }
    const all = Array.from({ length: this.partitions }, (_, partition) => partition)
    const isOwn = (partition: number) => partition % manual === index % manual
    const replicas = all.filter((partition) => !isOwn(partition)).join()
    return { PARTITIONS: all.filter(isOwn).join(), ...(replicas && { PARTITIONS_REPLICA: replicas }) }
  }
}

function nameOf(index: number): string {
  return `instance-${index + 1}`
}

/** Brokers of each partition, the leader first: never the coordinator, for whose acknowledgement a write would wait until its session has ended. */
async function replicasAside(
  kafka: KafkaCluster,
  topic: string,
  partitions: number,
  kind: 'group' | 'transaction',
): Promise<number[][]> {
  const coordinator = await kafka.coordinatorOf(kind, kind === 'group' ? topic : transactionalId(topic, 0))
  const others = kafka.brokers.map(({ id }) => id).filter((id) => id !== coordinator.id)
  return Array.from({ length: partitions }, (_, partition) => {
    const leader = others[partition % others.length]!
    return [leader, ...others.filter((id) => id !== leader)]
  })
}

/** By which a store of this topic fences its partitions. */
export function transactionalId(topic: string, partition: number): string {
  return `latchkey-${topic}-${partition}`
}
