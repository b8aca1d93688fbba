/**
 * A store, a copy of it, and their changelog, with a history at random: writes, publishes, restarts, compaction,
 * partitions that are filled again, and growth of the topic. It knows what is published.
 */
import { setSystemTime } from 'bun:test'
import type { Random } from '../../random.ts'
import { FakeChangelog } from '../fake-changelog.ts'
import { type MapStore, openMapStore, type ThreadPartitions } from '../map-store.ts'

const keysMax = 1_500
const hotKeys = 60
/** So large that few values fit into one portion. */
const largeValue = 'v'.repeat(400_000)
/** Numbers of keys that belong to the partition that the topic gets. */
const grownKeys = 40

/** Each key belongs to one partition. */
export function keyOf(number: number): string {
  return `${number % 3 === 0 ? 'a' : 'b'} key ${number}${number % 7 === 0 ? 'x'.repeat(90) : ''}`
}

export class World {
  readonly changelog = new FakeChangelog()
  /** What is published after publishAll(). */
  readonly published = new Map<string, string>()
  primary!: MapStore
  copy!: MapStore
  partitions = 4
  readonly #random: Random
  readonly #threads: { primaries: number[] }[] = [{ primaries: [0, 2] }, { primaries: [1, 3] }]
  #source = 0

  constructor(random: Random) {
    this.#random = random
  }

  async open(): Promise<void> {
    this.primary = await this.#openStore(this.#threads)
    this.copy = await this.#openStore(this.#threads.map(({ primaries }) => ({ replicas: primaries })))
  }

  partitionOf(number: number): number {
    return number >= keysMax ? 4 : number % 4
  }

  write(): void {
    const random = this.#random
    const some = this.partitions > 4 && random.below(10) === 0 ? keysMax + random.below(grownKeys) : undefined
    const number = some ?? random.below(random.below(3) === 0 ? keysMax : hotKeys)
    const text = number % 97 === 0 ? largeValue : 'value'
    const value = random.below(4) === 0 ? null : `${this.#source} ${text}`
    const partition = this.partitionOf(number)
    if (random.below(60) === 0) {
      this.primary.putWithoutOffset(partition, keyOf(number), `${this.#source} ${text}`, this.#source++)
    } else this.primary.put(partition, keyOf(number), value, this.#source++)
  }

  async publish(thread: number): Promise<void> {
    const published = this.primary.publish(thread)
    // Not visible before the next publish.
    for (let count = this.#random.below(4); count > 0; count--) this.write()
    await published
  }

  /** The copy reads some of the changelog, and perhaps publishes it. */
  async follow(): Promise<void> {
    for (let partition = 0; partition < this.partitions; partition++) {
      this.copy.replay(partition, this.#random.below(60))
    }
    if (this.#random.below(2) === 0) await this.copy.publish()
  }

  /** Makes everything visible that was written, here and at the copy. */
  async publishAll(): Promise<void> {
    // One more publish: the last one may have come without the offsets of some records.
    await this.primary.publish()
    for (let partition = 0; partition < this.partitions; partition++) this.copy.replay(partition)
    await this.copy.publish()
    this.published.clear()
    for (let partition = 0; partition < this.partitions; partition++) {
      for (const { key, value } of this.changelog.log(partition).records) {
        if (value === null) this.published.delete(key)
        else this.published.set(key, String(value))
      }
    }
  }

  /** Time passes, and the changelog is compacted. What is written is visible by then, also at the copy. */
  async compact(): Promise<void> {
    await this.publishAll()
    const { deleteRetentionMs } = this.changelog
    setSystemTime(Date.now() + this.#random.below(this.#random.below(2) === 0 ? deleteRetentionMs * 2 : 60_000))
    for (let partition = 0; partition < this.partitions; partition++) {
      if (this.#random.below(4) > 0) this.changelog.compact(partition)
    }
  }

  async restart(): Promise<void> {
    await this.primary.store.close()
    this.primary = await this.#openStore(this.#threads)
  }

  async restartCopy(): Promise<void> {
    await this.copy.store.close()
    this.copy = await this.#openStore(this.#threads.map(({ primaries }) => ({ replicas: primaries })))
  }

  async grow(): Promise<void> {
    this.partitions = 5
    this.#threads.push({ primaries: [4] })
    for (const [store, thread] of [
      [this.primary, { primaries: [4] }],
      [this.copy, { replicas: [4] }],
    ] as const) {
      const added = await store.grow(5, thread)
      added.post({ type: 'state', state: 'running' })
    }
  }

  /** A partition begins again, as where a changelog has lost records: it is emptied, and gets other records. */
  async refill(partition: number): Promise<void> {
    await this.publishAll()
    const numbers = Array.from({ length: keysMax + grownKeys }, (_, number) => number)
    const keys = numbers.filter((one) => this.partitionOf(one) === partition).map(keyOf)
    for (const maps of [this.primary, this.copy]) {
      maps.setState(partition, 'recovering')
      for (const key of keys) maps.putUnrecorded(partition, key)
      await maps.publish()
      maps.beginAgain(partition)
    }
    for (const key of keys.slice(0, 40)) this.primary.put(partition, key, 'again', this.#source++)
    await this.publishAll()
    for (const maps of [this.primary, this.copy]) maps.setState(partition, 'running')
    // Places that are named from now on are not taken for places in what was lost.
    setSystemTime(Date.now() + 120_000)
    for (const maps of [this.primary, this.copy]) {
      for (const { post } of maps.threads) post({ type: 'published', readerThreads: [0] })
    }
  }

  async close(): Promise<void> {
    await this.primary.store.close()
    await this.copy.store.close()
  }

  #openStore(threads: readonly ThreadPartitions[]): Promise<MapStore> {
    return openMapStore(this.partitions, threads, {}, this.changelog)
  }
}
