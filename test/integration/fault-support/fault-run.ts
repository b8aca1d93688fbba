/** A store under faults from its first start to the verdict: topic, workload, reader, what passes the proxy, and the checker at the end. */
import { expect } from 'bun:test'
import { LatchkeyProcess, localPort } from '../../binary/latchkey-process.ts'
import { createTopic, type KafkaBroker, uniqueName } from '../../kafka/index.ts'
import { compact } from './compaction.ts'
import { ContinuousReader } from './continuous-reader.ts'
import type { History, Instance } from './history.ts'
import { violations } from './invariants.ts'
import { fold, readTopic } from './oracle.ts'
import { withClient } from '../support/log.ts'
import type { Random } from './random.ts'
import { Recorder } from './recorder.ts'
import { Workload, type WorkloadOptions } from './workload.ts'

export interface FaultRunOptions {
  partitions?: number
  settings?: Readonly<Record<string, string>>
  workload?: Partial<WorkloadOptions>
}

export class FaultRun {
  readonly topic: string
  readonly changelog: string
  readonly workload: Workload
  readonly reader: ContinuousReader
  readonly recorder: Recorder
  readonly instances: Instance[] = []
  readonly #broker: KafkaBroker
  readonly #settings: Readonly<Record<string, string>>
  readonly #processes: LatchkeyProcess[] = []

  /** @param broker started with a proxy */
  static async open(broker: KafkaBroker, random: Random, options: FaultRunOptions = {}): Promise<FaultRun> {
    const topic = await createTopic(broker, uniqueName('fault'), { partitions: options.partitions ?? 4 })
    return new FaultRun(broker, topic, random, options)
  }

  private constructor(broker: KafkaBroker, topic: string, random: Random, options: FaultRunOptions) {
    this.#broker = broker
    this.topic = topic
    this.changelog = `${topic}-changelog`
    this.#settings = {
      ...localPort,
      SOURCE_TOPIC: topic,
      KAFKA_BROKERS: broker.bootstrap,
      AUTO_FLUSH_SECONDS: '0.05',
      // Many commits, for the checker to look at.
      KAFKA_CONSUMER_PROPERTIES: 'auto.commit.interval.ms=100',
      ...options.settings,
    }
    this.recorder = new Recorder(broker.proxy!, this.changelog, topic)
    this.workload = new Workload(broker.direct, topic, random, options.workload)
    this.reader = new ContinuousReader(topic, this.workload.keys, () => {
      const process = this.#processes.at(-1)
      return process && { process, instance: this.instances.length - 1 }
    })
  }

  /** The last one that was started. */
  get process(): LatchkeyProcess {
    return this.#processes.at(-1)!
  }

  /** Starts an instance; resolves when the process runs. */
  async start(): Promise<LatchkeyProcess> {
    this.instances.push({ startedAtEpochMs: Date.now(), startedAt: performance.now() })
    const process = await LatchkeyProcess.start({ settings: this.#settings })
    this.#processes.push(process)
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
    expect(flush.status).toBe(200)
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
  async namesOfChangelog(): Promise<ReadonlySet<string | undefined>> {
    const topics = await withClient(this.#broker.direct, (client) =>
      client.persist(() => client.metadata([this.changelog])),
    )
    return new Set([this.changelog, topics[0]!.id])
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
    }
  }

  /** Ends workload and reader, waits until the store has caught up, and holds all that was seen against the invariants. */
  async verify(): Promise<History> {
    await this.workload.stop()
    await this.caughtUp()
    await this.reader.stop()
    const history = await this.history()
    expect(violations(history)).toEqual([])
    return history
  }

  /** Compacts the changelog, starts the store anew on it, and holds every key against the source. */
  async verifyCompacted(): Promise<void> {
    await compact(this.#broker.direct, this.changelog, () => this.workload.sendEverywhere())
    await this.caughtUp()
    expect(await this.process.stop()).toBe(0)
    await this.startReady()
    const wanted = fold((await readTopic(this.#broker.direct, this.topic)).records)
    const answers = await this.answers()
    expect([...answers].filter(([key, value]) => value !== (wanted.get(key) ?? null))).toEqual([])
  }

  async close(): Promise<void> {
    await this.workload.close()
    await this.reader.stop()
    for (const process of this.#processes) await process.close()
    this.recorder.close()
  }
}
