import { type Admin, ConfigResourceTypes } from 'kafkajs'
import { until } from '../../until.ts'
import type { KafkaEndpoint, ToolResult } from '../broker/broker.ts'
import { kafkaJars } from '../broker/jars.ts'
import { runTool } from '../broker/java.ts'
import type { LocalNode } from '../broker/local-node.ts'
import { createTopic, kafkaClient, type TopicOptions } from '../topics.ts'
import type { ClusterBroker } from './cluster-broker.ts'
import { type ClusterView, clusterView, coordinatorOf, electLeader, endOffset, type PartitionView } from './requests.ts'
import { type ClusterOptions, startNodes } from './start.ts'

/** What an unclean election has lost: the offsets from `start` to `end`, that excluded. */
export interface LostTail {
  start: number
  end: number
}

/** Generous: all three may have to start on a loaded machine of 2 cores. */
const healTimeoutMs = 60_000
const changeTimeoutMs = 60_000

/** Three brokers and a controller. Topics have three replicas and a minimum in sync of two unless the test says otherwise. */
export class KafkaCluster implements KafkaEndpoint {
  /** host:port of all brokers, separated by commas; passes no proxy. */
  readonly direct: string
  readonly bootstrap: string
  /** The same, through the proxies before the brokers. */
  readonly proxied: string
  readonly brokers: readonly ClusterBroker[]
  readonly #controller: LocalNode

  static async start(options: ClusterOptions = {}): Promise<KafkaCluster> {
    const { controller, brokers } = await startNodes(options)
    const cluster = new KafkaCluster(controller, brokers)
    try {
      await cluster.healthy()
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  private constructor(controller: LocalNode, brokers: readonly ClusterBroker[]) {
    this.#controller = controller
    this.brokers = brokers
    this.direct = brokers.map((broker) => broker.direct).join()
    this.bootstrap = this.direct
    this.proxied = brokers.map((broker) => broker.proxy.address).join()
  }

  /** Addresses of the brokers that are up and not stopped by SIGSTOP. */
  get awake(): string[] {
    const awake = this.brokers.filter(({ isAwake }) => isAwake).map(({ direct }) => direct)
    if (awake.length === 0) throw new Error('ask the cluster: no broker is awake')
    return awake
  }

  /** For what takes a Kafka by its address and is to pass the proxies. */
  get throughProxies(): KafkaEndpoint {
    return { bootstrap: this.proxied, direct: this.direct, java: (...args) => this.java(...args) }
  }

  broker(id: number): ClusterBroker {
    const found = this.brokers.find((broker) => broker.id === id)
    if (found === undefined) throw new Error(`find broker ${id} of the cluster: it has none`)
    return found
  }

  /** Creates a topic and resolves with its name once every broker that is awake knows its leaders. */
  createTopic(name: string, options: TopicOptions = {}): Promise<string> {
    return createTopic({ direct: this.awake.join() }, name, options)
  }

  /** Deletes a topic and resolves once no broker knows it. */
  async deleteTopic(name: string): Promise<void> {
    await this.admin((admin) => admin.deleteTopics({ topics: [name] }))
    await this.#everywhere(`${name} is deleted`, ({ partitions }) => partitions.every(({ topic }) => topic !== name))
  }

  /** An empty topic of the same name and another id. */
  async recreateTopic(name: string, options: TopicOptions = {}): Promise<void> {
    await this.deleteTopic(name)
    await this.createTopic(name, options)
  }

  /** Leader, replicas and replicas in sync as a broker that is awake knows them. */
  async partition(topic: string, partition: number): Promise<PartitionView> {
    const [view] = await this.#views()
    const found = view?.partitions.find((one) => one.topic === topic && one.partition === partition)
    if (found === undefined) throw new Error(`find partition ${partition} of ${topic}: no broker knows it`)
    return found
  }

  async leaderOf(topic: string, partition: number): Promise<ClusterBroker> {
    return this.broker((await this.partition(topic, partition)).leader)
  }

  /** Coordinator of a group or a transactional id. */
  async coordinatorOf(kind: 'group' | 'transaction', key: string): Promise<ClusterBroker> {
    let id: number | undefined
    await until(`${kind} ${key} has a coordinator`, async () => {
      id = await coordinatorOf(this.awake[0]!, kind, key)
      return id !== undefined
    })
    return this.broker(id!)
  }

  /** Moves a partition to these brokers, of which the first leads it afterwards. */
  async reassign(topic: string, partition: number, replicas: readonly number[]): Promise<void> {
    const partitionAssignment = [{ partition, replicas: [...replicas] }]
    await this.admin((admin) => admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] }))
    const moved = async () => {
      const found = await this.partition(topic, partition)
      return found.replicas.join() === replicas.join() && found.isr.length === replicas.length
    }
    await until(`${topic} partition ${partition} is at ${replicas.join()}`, moved, changeTimeoutMs)
    await this.#elect('preferred', topic, partition, ({ leader }) => leader === replicas[0])
  }

  /** Makes one of its replicas the leader of a partition. */
  async moveLeader(topic: string, partition: number, to: number): Promise<void> {
    const { replicas } = await this.partition(topic, partition)
    await this.reassign(topic, partition, [to, ...replicas.filter((id) => id !== to)])
  }

  /** Elects a replica that is out of sync where none in sync is alive. What it lacks is lost. */
  async electUnclean(topic: string, partition: number): Promise<void> {
    const isLed = ({ leader }: PartitionView) => leader >= 0 && this.broker(leader).isAwake
    await this.#elect('unclean', topic, partition, isLed)
  }

  /**
   * Loses what `write` makes the cluster acknowledge: followers stop by SIGSTOP, the leader alone takes it and is killed, a follower is
   * elected. All brokers run afterwards. The topic's `min.insync.replicas` must be 1, for the leader acknowledges alone; a topic of
   * two replicas leaves the third broker to serve others meanwhile.
   */
  async loseTail(topic: string, partition: number, write: () => Promise<unknown>): Promise<LostTail> {
    await this.#expectMinIsrOne(topic)
    const { leader, replicas } = await this.partition(topic, partition)
    const followers = replicas.filter((id) => id !== leader).map((id) => this.broker(id))
    for (const follower of followers) follower.pause()
    const isAlone = async () => (await this.partition(topic, partition)).isr.join() === `${leader}`
    await until(`${topic} partition ${partition} has one replica in sync`, isAlone, changeTimeoutMs)
    await write()
    const end = await this.endOf(topic, partition)
    await this.broker(leader).kill()
    for (const follower of followers) follower.resume()
    await this.electUnclean(topic, partition)
    const start = await this.endOf(topic, partition)
    await this.broker(leader).start()
    await this.healthy()
    return { start, end }
  }

  /** Where a partition ends, by its leader. */
  async endOf(topic: string, partition: number): Promise<number> {
    let end: number | undefined
    await until(`${topic} partition ${partition} reports its end`, async () => {
      const { leader } = await this.partition(topic, partition)
      if (leader < 0) return false
      end = await endOffset(this.broker(leader).direct, topic, partition)
      return end !== undefined
    })
    return end!
  }

  async admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafkaClient({ bootstrap: this.awake.join() }).admin()
    await admin.connect()
    try {
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  /** Resolves when every broker sees all brokers and every replica of every partition in sync. */
  async healthy(): Promise<void> {
    await this.#everywhere('all replicas are in sync', ({ brokers, partitions }) => {
      if (brokers.length < this.brokers.length) return false
      return partitions.every(({ leader, replicas, isr }) => leader >= 0 && isr.length === replicas.length)
    })
  }

  /**
   * Resolves when every broker that is awake sees one that is lead each partition of these topics and of Kafka's own: kafkajs gives up in the midst of
   * an election. Other tests have left topics of which a broker that is down has the only replica.
   */
  async led(...topics: string[]): Promise<void> {
    await this.#everywhere('all partitions are led', ({ partitions }) => {
      const concerned = partitions.filter(({ topic }) => topic.startsWith('__') || topics.includes(topic))
      return concerned.every(({ leader }) => leader >= 0 && this.broker(leader).isAwake)
    })
  }

  /** Starts what is down, resumes what is paused, and waits until all is in sync. */
  async revive(): Promise<void> {
    this.#controller.resume()
    if (this.#controller.pid === undefined) await this.#controller.start()
    await Promise.all(this.brokers.map((broker) => broker.revive()))
    await this.healthy()
  }

  /** The same, and all proxies let everything pass. Brokers that do not get in sync by themselves are started again. */
  async heal(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.letPass()))
    try {
      await this.revive()
    } catch (error) {
      console.error(`${error}; all brokers are started again`)
      await Promise.all(this.brokers.map((broker) => broker.kill()))
      await this.revive()
    }
  }

  async java(mainClass: string, args: readonly string[], stdin?: string | Uint8Array): Promise<ToolResult> {
    return runTool(await kafkaJars(), mainClass, args, stdin)
  }

  async close(): Promise<void> {
    await Promise.all([...this.brokers, this.#controller].map((node) => node.close()))
  }

  /** Of the brokers that are awake and answer. */
  async #views(): Promise<ClusterView[]> {
    const views = await Promise.all(this.awake.map((address) => clusterView(address)))
    return views.filter((view) => view !== undefined)
  }

  async #everywhere(what: string, holds: (view: ClusterView) => boolean): Promise<void> {
    let views: ClusterView[] = []
    const all = async () => {
      views = await this.#views()
      return views.length === this.awake.length && views.every(holds)
    }
    try {
      await until(what, all, healTimeoutMs)
    } catch (error) {
      throw new Error(`${error} at ${this.awake.join()}: ${JSON.stringify(views)}`, { cause: error })
    }
  }

  /** Asks for an election until the partition is as it is meant to be: a broker that was killed leads until its session has ended. */
  async #elect(
    kind: 'preferred' | 'unclean',
    topic: string,
    partition: number,
    isDone: (found: PartitionView) => boolean,
  ): Promise<void> {
    const done = async () => {
      if (isDone(await this.partition(topic, partition))) return true
      await electLeader(this.awake[0]!, kind, topic, partition)
      return false
    }
    await until(`${topic} partition ${partition} has its ${kind} leader`, done, changeTimeoutMs)
  }

  async #expectMinIsrOne(topic: string): Promise<void> {
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['min.insync.replicas'] }]
    const found = await this.admin((admin) => admin.describeConfigs({ resources, includeSynonyms: false }))
    const value = found.resources[0]?.configEntries[0]?.configValue
    if (value !== '1') throw new Error(`lose the tail of ${topic}: min.insync.replicas is ${value}, and 1 is needed`)
  }
}
