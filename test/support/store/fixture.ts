/** A source topic and stores of it, on the shared broker; `await using` closes what was opened. */
import { expect } from 'bun:test'
import type { Message } from 'kafkajs'
import type { Lookup } from '../../../lib/store-protocol/status.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { startStore, type Store } from '../../../lib/store/store.ts'
import { createTopic, type KafkaEndpoint, sharedKafka, uniqueName } from '../kafka/index.ts'
import { Cluster } from '../kafka/topic-admin.ts'
import { until } from '../until.ts'
import { withoutThread } from './in-thread-worker.ts'
import { storeConfigOf } from './store-config-of.ts'
import { differences, fold, live, type Log, readLog } from './topic-log.ts'

export interface FixtureOptions {
  broker?: KafkaEndpoint
  partitions?: number
  /** Settings of the source. */
  source?: Record<string, string>
  /** Creates the changelog beforehand, with these settings; else the store does. */
  changelog?: Record<string, string>
}

export class Fixture {
  readonly cluster: Cluster
  readonly source: string
  readonly changelog: string
  readonly storeId: string
  readonly partitions: number
  /** Log lines of the stores opened with `logged`, without their time. */
  readonly lines: string[] = []
  readonly #stores: Store[] = []

  static async create(options: FixtureOptions = {}): Promise<Fixture> {
    const { broker = await sharedKafka(), partitions = 1, source = {}, changelog } = options
    const fixture = new Fixture(broker, partitions)
    await createTopic(broker, fixture.source, { partitions, config: source })
    if (changelog !== undefined) {
      const config = { 'cleanup.policy': 'compact', 'max.message.bytes': '2000000', ...changelog }
      await createTopic(broker, fixture.changelog, { partitions, config })
    }
    return fixture
  }

  private constructor(broker: KafkaEndpoint, partitions: number) {
    this.cluster = new Cluster(broker)
    this.source = uniqueName('source')
    this.changelog = `${this.source}-changelog`
    this.storeId = this.source
    this.partitions = partitions
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()))
  }

  config(settings: Partial<StoreConfig> = {}): StoreConfig {
    return { ...storeConfigOf(this.source, this.cluster.broker.bootstrap), ...settings }
  }

  /** Opens a store in a separate thread, as an embedder does. */
  open(settings: Partial<StoreConfig> = {}): Store {
    return this.#remember(startStore(this.config(settings), { level: 'error', structured: false }))
  }

  /** Opens a store in this thread; what it logs comes into `lines`. */
  openLogged(settings: Partial<StoreConfig> = {}): Store {
    // What a former test has repeated may be logged seconds later, in this thread, too.
    const isOther = (line: string) => (line.match(/source-[0-9a-f]{12}/g) ?? []).some((name) => name !== this.source)
    const write = (line: string) => void (isOther(line) || this.lines.push(line.slice(25).trimEnd()))
    return this.#remember(withoutThread(write, () => startStore(this.config(settings))))
  }

  /** Opens a store, waits until it is ready and has read all there is, checks it, and closes it. */
  async startAndStop(settings: Partial<StoreConfig> = {}): Promise<void> {
    const store = this.open(settings)
    await this.quiet(store)
    await this.expectConverged(store)
    await store.close()
  }

  /** Waits until a line of `openLogged` stores contains this text: lines may come after what they are about. */
  async logged(text: string): Promise<void> {
    await until(`a log line contains "${text}"`, () => this.hasLogged(text)).catch((error: Error) => {
      throw new Error(`${error.message}; logged:\n${this.lines.join('\n')}`)
    })
  }

  /** Whether a line of `openLogged` stores contains this text by now. */
  hasLogged(text: string): boolean {
    return this.lines.some((line) => line.includes(text))
  }

  async produce(messages: readonly Message[]): Promise<void> {
    await this.cluster.produce(this.source, messages)
  }

  readSource(): Promise<Log> {
    return readLog(this.cluster.broker.direct, this.source)
  }

  readChangelog(): Promise<Log> {
    return readLog(this.cluster.broker.direct, this.changelog)
  }

  committed(): Promise<Map<number, number>> {
    return this.cluster.committed(this.storeId, this.source)
  }

  /** Waits until the store is ready, has acknowledged all that the source holds now, and shows it. */
  async quiet(store: Store): Promise<void> {
    const { ends } = await this.readSource()
    await until('the store is ready and at the end of its source', () => {
      if (store.state === 'failed') throw new Error(`the store failed: ${store.status().reason}`)
      const { conditions, details } = store.status()
      const isAtEnd = details.every(({ partition, position }) => (position ?? -1) >= ends.get(partition)!)
      return details.length > 0 && isAtEnd && conditions.every(({ ok }) => ok)
    })
    await store.flush()
  }

  /** I2: a quiet store serves the fold of its source, and so would its changelog. */
  async expectConverged(store: Store): Promise<void> {
    const source = await this.readSource()
    const changelog = await this.readChangelog()
    const expected = live(source.records)
    expect(differences(expected, live(changelog.records))).toEqual([])
    const served = new Map<string, string>()
    const places = fold(source.records)
    for (const key of new Set([...places.keys(), ...fold(changelog.records).keys()])) {
      const found = await this.get(store, key)
      if (found === undefined) continue
      served.set(key, textOf(found)!)
      expect([found.partition, found.offset], `place of ${key}`).toEqual([
        places.get(key)!.partition,
        places.get(key)!.offset,
      ])
    }
    expect(differences(expected, served)).toEqual([])
  }

  /** @param key latin1, as logs are read here */
  async get(store: Store, key: string): Promise<Lookup | undefined> {
    return store.get(Buffer.from(key, 'latin1'))
  }

  /** The value of a key as text. */
  async value(store: Store, key: string): Promise<string | undefined> {
    return textOf(await this.get(store, key))
  }

  #remember(store: Store): Store {
    this.#stores.push(store)
    return store
  }
}

function textOf(lookup: Lookup | undefined): string | undefined {
  return lookup && Buffer.from(lookup.value).toString('latin1')
}
