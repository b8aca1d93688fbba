/** The topic of a group gets more partitions under load, and its instances learn of it one after the other. */
import { expect, test } from 'bun:test'
import { partitionOf } from '../../lib/map/index.ts'
import { type Embedded, EmbeddedGroup } from '../support/elastic/embedded-group.ts'
import { Random } from '../support/random.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

/** Beside other test files on a busy machine. */
const withinMs = 240_000
const growthMs = 120_000
const notFound = 'key_not_found'
/** Of new keys. */
const shownMin = 200
/** How long instances do not look for new partitions; the last one as long as it may be. */
const agesMs = [10_000, 3_000, 100]
const olds = Array.from({ length: 2_000 }, (_, index) => `old-${index}`)

/** A code and a status for each key that is not found. */
type Answers = ReadonlyMap<string, string>

/** Asks all instances for keys all the time. */
class Readers {
  readonly faults: string[] = []
  /** New keys that were written, visible or not. */
  readonly written: string[] = []
  /** Those of them that an instance has shown: with `max-lag=0` none may be missing anywhere from then on. */
  readonly shown = new Set<string>()
  readonly #storeId: string
  readonly #random = Random.of('growth')
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>

  constructor(storeId: string, instances: readonly Embedded[]) {
    this.#storeId = storeId
    const run = ({ url }: Embedded) => [this.#run(url, 1), this.#run(url, 1), this.#run(url, 20)]
    this.#running = Promise.all(instances.flatMap(run))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  /** @param count of keys of each request */
  async #run(url: string, count: number): Promise<void> {
    for (; !this.#stopping.signal.aborted; await Bun.sleep(count)) {
      const pick = (keys: readonly string[]) => Array.from({ length: count }, () => this.#random.pick(keys))
      for (const [key, found] of await this.#answers(url, pick(olds))) this.#fault(url, key, found)
      if (this.written.length === 0) continue
      const news = pick(this.written)
      const shown = new Set(news.filter((key) => this.shown.has(key)))
      const missing = await this.#answers(url, news, '&max-lag=0')
      for (const key of news) if (!missing.has(key)) this.shown.add(key)
      for (const [key, found] of missing) if (shown.has(key) && found.includes(notFound)) this.#fault(url, key, found)
    }
  }

  #fault(url: string, key: string, found: string): void {
    this.faults.push(`${key} at ${url}: ${found}`)
  }

  async #answers(url: string, keys: readonly string[], query = ''): Promise<Answers> {
    const store = `${url}/stores/${this.#storeId}`
    const [key] = keys as [string]
    const many = `${store}?${keys.map((one) => `keys=${one}`).join('&')}${query}`
    const response = await fetch(keys.length === 1 ? `${store}/${key}${query.replace('&', '?')}` : many)
    const text = await response.text()
    if (response.status !== 200) return new Map(keys.map((one) => [one, text]))
    if (keys.length === 1) return new Map()
    const { missing } = JSON.parse(text) as { missing: readonly { key: string; code: string }[] }
    return new Map(missing.map((one) => [one.key, JSON.stringify(one)]))
  }
}

/** Writes new keys, and old ones again, as a producer that knows of the growth, until so many new ones are visible. */
async function writeOn(fixture: Fixture, readers: Readers, partitions: number, isOver: () => boolean): Promise<void> {
  let round = 0
  const write = async () => {
    const news = Array.from({ length: 20 }, (_, index) => `new-${round}-${index}`)
    const again = Array.from({ length: 50 }, (_, index) => olds[(round * 50 + index) % olds.length]!)
    await produce(fixture, [...news, ...again], `${++round}`, partitions)
    readers.written.push(...news)
    return isOver() && readers.shown.size >= shownMin
  }
  await until('all partitions to be shared, and new keys to be visible', write, growthMs)
}

async function produce(fixture: Fixture, keys: readonly string[], value: string, partitions: number): Promise<void> {
  await fixture.produce(keys.map((key) => ({ key, value, partition: partitionOf(Buffer.from(key), partitions) })))
}

test.each([
  ['each instance has a part', 4, 8],
  ['the one that learns of it first has nothing', 2, 6],
])(
  'no key is missing while a topic grows: %s',
  async (_, partitions, grown) => {
    await using fixture = await Fixture.create({ partitions })
    await produce(fixture, olds, 'before', partitions)
    await using group = new EmbeddedGroup(fixture)
    for (const ageMs of agesMs) {
      const properties = { 'metadata.max.age.ms': ageMs }
      const { store } = group.open({ standbys: 0, autoFlushSeconds: 0.05, kafkaConsumerProperties: properties })
      await store.ready
      await until('the partitions to be shared', () => group.isShared(partitions))
    }
    const readers = new Readers(fixture.storeId, group.instances)
    await fixture.cluster.admin((admin) =>
      admin.createPartitions({ topicPartitions: [{ topic: fixture.source, count: grown }] }),
    )
    await writeOn(fixture, readers, grown, () => group.isShared(grown))
    await readers.stop()
    expect(readers.faults.slice(0, 20)).toEqual([])
  },
  withinMs,
)
