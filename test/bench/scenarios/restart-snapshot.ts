/**
 * How long a store takes after kill -9, from the start of its process to its first answer: from a snapshot and the last records of the
 * changelog, and from the whole changelog, by turns. Peers that keep a state on the disk beside it.
 */
import { rmSync } from 'node:fs'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import type { Contender, RunningStore, StoreSettings } from '../contenders/index.ts'
import { spreadOf } from '../report/statistics.ts'
import { aligned, cellOfSpread } from '../report/table.ts'
import { subject } from '../report/wanted.ts'
import { fillTopic } from '../topics/filler.ts'
import { valueOf } from '../topics/values.ts'
import { type Bench, dropTopics, filledTopic, newStore, say } from './bench.ts'
import { note, redisRestarts, type Starts, streamsRestarts } from './restart-peers.ts'
import { ingestWhole } from './stages.ts'

const times = 10
/** Records that come after the snapshot. */
const tail = 1_000
const tailMaxMs = 60_000
/** Kafka Streams takes minutes to ingest more. */
const streamsMax = 2_000_000
const keepsTombstones = { 'delete.retention.ms': '604800000' }

export async function restartSnapshot(bench: Bench): Promise<string[]> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return []
  const heads = ['Restart after kill -9', 'time to the first answer', 'processor time']
  const rows: string[][] = []
  for (const [metric, records] of [
    ['snapshotRestart', bench.options.records],
    ['snapshotRestartLarge', bench.options.records * times],
  ] as const) {
    const [snapshot, whole] = await measure(bench, contender, records)
    const ratio = spreadOf(snapshot.clock).median / spreadOf(whole.clock).median
    bench.results.add(contender.name, { [metric]: ratio })
    const entries = `${records.toLocaleString('en')} entries`
    rows.push(rowOf(`${entries}, snapshot and ${tail} records`, snapshot), rowOf(`${entries}, changelog`, whole))
    const streams = records > streamsMax ? undefined : await streamsRestarts(bench, records)
    if (streams) rows.push(rowOf(`${entries}, Kafka Streams with RocksDB`, streams))
    const redis = await redisRestarts(bench, records)
    if (redis) rows.push(rowOf(`${entries}, redis-server with RDB`, redis))
  }
  return [aligned([heads, ...rows])]
}

function rowOf(name: string, { clock, processor }: Starts): string[] {
  return [name, cellOfSpread(spreadOf(clock), 'ms'), cellOfSpread(spreadOf(processor), 'ms')]
}

async function measure(
  bench: Bench,
  contender: Contender,
  records: number,
): Promise<[snapshot: Starts, whole: Starts]> {
  const source = await filledTopic(bench, 'restart', { records })
  say(`${records} records written`)
  const plain = await newStore(bench, contender, source, { records, config: keepsTombstones })
  const folder = temporaryFolder('bench-snapshots')
  const kept = { ...plain, environment: { SNAPSHOT_DIR: folder, SNAPSHOT_SECONDS: '3600' } }
  const starts: [Starts, Starts] = [
    { clock: [], processor: [] },
    { clock: [], processor: [] },
  ]
  try {
    // The close at the end takes the snapshot.
    await ingestWhole(bench, contender, kept, records)
    await updateOf(bench, contender, plain)
    for (let round = 0; round < bench.options.rounds; round++) {
      for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const settings = which === 0 ? kept : plain
        const { clock, processor } = await started(contender, settings)
        note(starts[which], which === 0 ? 'snapshot' : 'changelog', clock, processor)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
    await dropTopics(bench, [source, contender.changelogOf(plain.id)])
  }
  return starts
}

/** Updates the first keys, with a store that takes no snapshot. */
async function updateOf(bench: Bench, contender: Contender, settings: StoreSettings): Promise<void> {
  const { source, partitions, valueBytes } = settings
  const filling = {
    topic: source,
    partitions,
    records: tail,
    keys: tail,
    round: 1,
    valueBytes,
    compression: 0 as const,
  }
  await fillTopic(bench.kafka.bootstrap, { ...filling, keyDigits: undefined })
  const store = await contender.start(settings)
  await store.answers()
  const deadline = performance.now() + tailMaxMs
  while (!(await answersTo(store, tail - 1, valueOf(tail - 1, 1, valueBytes)))) {
    if (performance.now() > deadline) throw new Error(`${settings.id} does not show the updates`)
    await Bun.sleep(20)
  }
  await Bun.sleep(1_500) // for the commit
  await store.kill()
}

async function started(contender: Contender, settings: StoreSettings): Promise<{ clock: number; processor: number }> {
  const store = await contender.start(settings)
  try {
    const clock = await store.answers()
    const processor = store.processorMs()
    for (const [id, update] of [
      [0, 1],
      [tail - 1, 1],
      [tail, 0],
      [settings.entries - 1, 0],
    ] as const) {
      const isRight = await answersTo(store, id, valueOf(id, update, settings.valueBytes))
      if (!isRight) throw new Error(`user-${id} is wrong`)
    }
    return { clock, processor }
  } finally {
    await store.kill()
  }
}

async function answersTo({ url, lookupPath }: RunningStore, id: number, expected: string): Promise<boolean> {
  const response = await fetch(`${url}${lookupPath}user-${id}`)
  return (await response.text()).trimEnd() === expected.trimEnd()
}
