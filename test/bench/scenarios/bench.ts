/** What every scenario works with. */
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { createTopic, type KafkaBroker, kafkaClient, uniqueName } from '../../support/kafka/index.ts'
import type { Contender, RunningStore, StoreSettings } from '../contenders/index.ts'
import type { Options } from '../options.ts'
import type { Results } from '../report/results.ts'
import { fillTopic } from '../topics/filler.ts'
import { valueOf } from '../topics/values.ts'

export interface Bench {
  options: Options
  kafka: KafkaBroker
  client: KafkaClient
  contenders: readonly Contender[]
  results: Results
}

const startedAt = performance.now()
const createTries = 5

/** A line of progress, on standard error: standard output is the table. */
export function say(line: string): void {
  console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(5)} s  ${line}`)
}

export type TopicShape = Partial<Pick<Options, 'partitions' | 'records' | 'valueBytes'>> & {
  compression?: 0 | 1 | 2 | 3 | 4
  keyDigits?: number
  config?: Readonly<Record<string, string>>
}

/** A new topic with that many records over that many keys; the options' where not given, none with `records: 0`. */
export async function filledTopic(bench: Bench, purpose: string, shape: TopicShape = {}): Promise<string> {
  const { partitions, records, valueBytes } = { ...bench.options, ...shape }
  const topic = await newTopic(bench, uniqueName(`bench-${purpose}`), partitions, shape.config)
  const { compression = 0, keyDigits } = shape
  const filling = { topic, partitions, records, keys: records, round: 0, valueBytes, compression, keyDigits }
  if (records > 0) await fillTopic(bench.kafka.bootstrap, filling)
  return topic
}

export async function newTopic(
  bench: Bench,
  name: string,
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  // A loaded broker may not know at once what it has just made; asking for it again is harmless.
  for (let tries = 1; ; tries++) {
    const failure = await createTopic(bench.kafka, name, { partitions, config }).catch((error: unknown) => error)
    if (failure === name) break
    if (tries === createTries) throw failure
  }
  await bench.client.retryForever(() => bench.client.metadata([name]))
  return name
}

/** Its disk is needed again: a million records are 190 MB, and again as much for each changelog. What fails costs disk only. */
export async function dropTopics(bench: Bench, topics: readonly string[]): Promise<void> {
  const admin = kafkaClient(bench.kafka).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [...topics] }).catch((error: unknown) => say(`topics stay: ${error}`))
  await admin.disconnect()
}

/** A store with an empty changelog, compacted, or one that holds `changelogRecords` already. */
export async function newStore(
  bench: Bench,
  contender: Contender,
  source: string,
  shape: TopicShape = {},
  changelogRecords = 0,
): Promise<StoreSettings> {
  const { partitions, records: entries, valueBytes } = { ...bench.options, ...shape }
  const id = uniqueName(`bench-${contender.name.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`)
  const changelog = contender.changelogOf(id)
  const config = { 'cleanup.policy': 'compact', 'max.message.bytes': '2000000', ...shape.config }
  await newTopic(bench, changelog, partitions, config)
  const filling = {
    topic: changelog,
    partitions,
    records: changelogRecords,
    keys: changelogRecords,
    round: 0,
    valueBytes,
  }
  if (changelogRecords > 0) await fillTopic(bench.kafka.bootstrap, filling)
  return { id, bootstrap: bench.kafka.bootstrap, source, partitions, entries, valueBytes, flush: 'default' }
}

/** Runs a store for as long as `use` takes. */
export async function running<T>(
  contender: Contender,
  settings: StoreSettings,
  use: (store: RunningStore) => Promise<T>,
): Promise<T> {
  const store = await contender.start(settings)
  try {
    return await use(store)
  } finally {
    await store.stop()
  }
}

/** Fails where a store does not answer what was written: nothing that is fast and wrong counts. */
export async function verify(store: RunningStore, settings: StoreSettings, round = 0): Promise<void> {
  for (const id of [0, Math.floor(settings.entries / 2), settings.entries - 1]) {
    const response = await fetch(`${store.url}${store.lookupPath}user-${id}`)
    const found = await response.text()
    const expected = valueOf(id, round, settings.valueBytes)
    if (response.status !== 200 || found.trimEnd() !== expected.trimEnd()) {
      throw new Error(`${settings.id} answers ${response.status} for user-${id}: ${found.slice(0, 200)}`)
    }
  }
}

export const rotated = <T>(all: readonly T[], by: number): T[] => all.map((_, at) => all[(at + by) % all.length]!)
