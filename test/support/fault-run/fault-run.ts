/** A store under faults from its first start to the verdict: topic, workload, reader, what passes the proxy, and the checker at the end. */
import { deepEqual, equal } from 'node:assert/strict'
import { LatchkeyProcess, localPort } from '../binary/latchkey-process.ts'
import { createTopic, type KafkaBroker, type KafkaCluster, type TcpProxy, uniqueName } from '../kafka/index.ts'
import type { TopicOptions } from '../kafka/topics.ts'
import type { Random } from '../random.ts'
import { withClient } from '../store/topic-log.ts'
import { compact } from './compaction.ts'
import { ContinuousReader } from './continuous-reader.ts'
import type { History, Instance, Loss } from './history.ts'
import { violations } from './invariants.ts'
import { fold, readTopic } from './oracle.ts'
import { Recorder } from './recorder.ts'
import { Workload, type WorkloadOptions } from './workload.ts'

export interface FaultRunOptions {
  partitions?: number
  /** Settings of the source. */
  source?: Readonly<Record<string, string>>
  /** Creates the changelog beforehand, with these settings; else the store does. */
  changelog?: Readonly<Record<string, string>>
  settings?: Readonly<Record<string, string>>
  workload?: Partial<WorkloadOptions>
  /** The executable, where it is not the one of this run. */
  executable?: string | undefined
}

/** One broker that was started with a proxy, or a cluster, which has one before each. */
export type WatchedKafka = KafkaBroker | KafkaCluster

export class FaultRun {
  readonly topic: string
  readonly changelog: string
  readonly workload: Workload
  readonly reader: ContinuousReader
  readonly recorder: Recorder
  readonly instances: Instance[] = []
  readonly processes: LatchkeyProcess[] = []
  /** What unclean elections have lost. */
  readonly losses: Loss[] = []
  readonly #broker: WatchedKafka
  readonly #executable: string | undefined
  readonly #settings: Readonly<Record<string, string>>

  static async open(broker: WatchedKafka, random: Random, options: FaultRunOptions = {}): Promise<FaultRun> {
    const { partitions = 4, source = {}, changelog } = options
    const create = (name: string, topic: TopicOptions) => {
      return 'brokers' in broker ? broker.createTopic(name, topic) : createTopic(broker, name, topic)
    }
    const topic = await create(uniqueName('fault'), { partitions, config: source })
    if (changelog) {
      await create(changelogOf(topic), { partitions, config: { 'cleanup.policy': 'compact', ...changelog } })
    }
    return new FaultRun(broker, topic, random, options)
  }

  private constructor(broker: WatchedKafka, topic: string, random: Random, options: FaultRunOptions) {
    this.#broker = broker
    this.topic = topic
    this.changelog = changelogOf(topic)
    this.#executable = options.executable
    const isCluster = 'brokers' in broker
    this.#settings = {
      ...localPort,
      SOURCE_TOPIC: topic,
      KAFKA_BROKERS: isCluster ? broker.proxied : broker.bootstrap,
      AUTO_FLUSH_SECONDS: '0.05',
      // Many commits, for the checker to look at.
      KAFKA_CONSUMER_PROPERTIES: 'auto.commit.interval.ms=100',
      ...options.settings,
    }
    this.recorder = new Recorder(proxiesOf(broker), this.changelog, topic)
    this.workload = new Workload(isCluster ? () => broker.awake.join() : broker.direct, topic, random, options.workload)
    this.reader = new ContinuousReader(topic, this.workload.keys, () => {
      const process = this.processes.at(-1)
      return process && { process, instance: this.instances.length - 1 }
    })
  }

  /** The last one that was started. */
  get process(): LatchkeyProcess {
    return this.processes.at(-1)!
  }

  /** Starts an instance; resolves when the process runs. */
  async start(): Promise<LatchkeyProcess> {
    this.instances.push({ startedAtEpochMs: Date.now(), startedAt: performance.now() })
    const process = await LatchkeyProcess.start({
      settings: this.#settings,
      ...(this.#executable && { path: this.#executable }),
    })
    this.processes.push(process)
    return process
  }

  async startReady(): Promise<LatchkeyProcess> {
    const process = await this.start()
    await this.ready()
    return process
  }

  async ready(): Promise<void> {
    await this.process.until('it is ready', () => this.process.isReady())
  }

  /** Resolves when everything that the source holds is acknowledged by the changelog, visible and committed. */
  async caughtUp(): Promise<void> {
    const { records } = await readTopic(this.#broker.direct, this.topic)
    const ends = new Map<number, number>()
    for (const { partition, offset } of records) ends.set(partition, offset + 1)
    await this.process.until('it has caught up', async () => {
      const status = await this.process.status(this.topic)
      const details = status?.details ?? []
      return (
        status?.state === 'running' &&
        details.length > 0 &&
        details.every(({ partition, position }) => (position ?? -1) >= (ends.get(partition) ?? 0))
      )
    })
    const flush = await this.process.get(`/flush-store/${this.topic}`, { method: 'POST' })
    equal(flush.status, 200)
    await this.process.until('it has committed', () => {
      const { commits } = this.recorder
      return [...ends].every(([partition, end]) => {
        return commits.findLast((commit) => commit.partition === partition)?.offset === end
      })
    })
  }

  /** Resolves when this many more batches are acknowledged. */
  async acknowledged(batches: number): Promise<void> {
    const { acknowledgements } = this.recorder
    const wanted = acknowledgements.length + batches
    await this.process.until('it writes', () => acknowledgements.length >= wanted)
  }

  /** Resolves when offsets have been committed this many more times. */
  async committed(times: number): Promise<void> {
    const { commits } = this.recorder
    const from = commits.length
    await this.process.until('it commits', () => new Set(commits.slice(from).map(({ at }) => at)).size >= times)
  }

  /** What GET answers; null for a 404. */
  async lookUp(key: string): Promise<string | null> {
    const answer = await this.process.get(`/stores/${this.topic}/${key}`)
    const text = await answer.text()
    if (answer.status !== 200 && answer.status !== 404) throw new Error(`look up ${key}: ${answer.status} ${text}`)
    return answer.status === 200 ? text : null
  }

  /** What requests call the changelog: its name, and its id. */
  namesOfChangelog(): Promise<ReadonlySet<string | undefined>> {
    return this.namesOf(this.changelog)
  }

  /** What a Fetch may call a topic. */
  async namesOf(topic: string): Promise<ReadonlySet<string | undefined>> {
    const topics = await withClient(this.#broker.direct, (client) =>
      client.retryForever(() => client.metadata([topic])),
    )
    return new Set([topic, topics[0]!.id])
  }

  async visible(key: string, value: string): Promise<void> {
    await this.process.until(`${key} is ${value}`, async () => (await this.lookUp(key)) === value)
  }

  /** What GET answers for every key now. */
  async answers(): Promise<Map<string, string | null>> {
    const answers = new Map<string, string | null>()
    for (const key of this.workload.keys) answers.set(key, await this.lookUp(key))
    return answers
  }

  /** Everything seen so far; the changelog must not have been compacted. */
  async history(): Promise<History> {
    const { acknowledgements, commits } = this.recorder
    return {
      source: (await readTopic(this.#broker.direct, this.topic)).records,
      changelog: await readTopic(this.#broker.direct, this.changelog),
      reads: this.reader.reads,
      acknowledgements,
      commits,
      instances: this.instances,
      answers: await this.answers(),
      losses: this.losses,
    }
  }

  /** Ends workload and reader, waits until the store has caught up, and holds all that was seen against the invariants. */
  async verify(): Promise<History> {
    await this.workload.stop()
    await this.caughtUp()
    await this.reader.stop()
    const history = await this.history()
    deepEqual(violations(history), [])
    return history
  }

  /** Compacts the changelog, starts the store again on it, and compares every key with the source. */
  async verifyCompacted(): Promise<void> {
    await compact(this.#broker.direct, this.changelog, () => this.workload.sendEverywhere())
    await this.caughtUp()
    equal(await this.process.stop(), 0)
    await this.startReady()
    const wanted = fold((await readTopic(this.#broker.direct, this.topic)).records)
    const answers = await this.answers()
    const wrong = [...answers].filter(([key, value]) => value !== (wanted.get(key) ?? null))
    deepEqual(wrong, [])
  }

  async close(): Promise<void> {
    await this.workload.close()
    await this.reader.stop()
    for (const process of this.processes) await process.close()
    this.recorder.close()
  }
}

function changelogOf(topic: string): string {
  return `${topic}-changelog`
}

function proxiesOf(broker: WatchedKafka): TcpProxy[] {
  return 'brokers' in broker ? broker.brokers.map(({ proxy }) => proxy) : [broker.proxy!]
}
