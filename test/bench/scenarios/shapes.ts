/** Records small and large, compressed, and over many partitions: Latchkey beside what can be fetched of the same topic. */
import type { Contender } from '../contenders/index.ts'
import { rawFetch } from '../limits/raw-fetch.ts'
import { textOf } from '../report/metrics.ts'
import { aligned } from '../report/table.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, say, type TopicShape } from './bench.ts'
import { ingestWhole, recoverAndLookUp } from './stages.ts'

const keyBytes = 11
/** Of a topic of large records. */
const bytesMax = 500_000_000
const lookupSeconds = 2

interface Row {
  name: string
  shape: Required<Omit<TopicShape, 'config' | 'keyDigits'>>
}

export async function shapes(bench: Bench): Promise<string[]> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return []
  const heads = [
    'Shape',
    'records',
    'raw fetch/s',
    'ingest/s',
    'recovery/s',
    'lookups/s',
    'ingest MB/s',
    'recovery MB/s',
  ]
  const rows: string[][] = []
  for (const row of rowsOf(bench)) rows.push(await measure(bench, contender, row))
  return [aligned([heads, ...rows])]
}

function rowsOf({ options }: Bench): Row[] {
  const usual = { partitions: options.partitions, records: options.records, valueBytes: options.valueBytes }
  const plain = { ...usual, compression: 0 } as const
  const large = (valueBytes: number) => Math.min(options.records, Math.ceil(bytesMax / valueBytes))
  return [
    { name: 'as above', shape: plain },
    { name: '20 bytes', shape: { ...plain, valueBytes: 20 } },
    { name: '10 kB', shape: { ...plain, valueBytes: 10_000, records: large(10_000) } },
    { name: '900 kB', shape: { ...plain, valueBytes: 900_000, records: large(900_000) } },
    { name: 'gzip', shape: { ...plain, compression: 1 } },
    { name: 'snappy', shape: { ...plain, compression: 2 } },
    { name: 'lz4', shape: { ...plain, compression: 3 } },
    { name: 'zstd', shape: { ...plain, compression: 4 } },
    { name: '64 partitions', shape: { ...plain, partitions: 64 } },
  ]
}

async function measure(bench: Bench, contender: Contender, { name, shape }: Row): Promise<string[]> {
  const source = await filledTopic(bench, 'shape', shape)
  say(`${name}: ${shape.records} records written`)
  const fetched = await rawFetch(bench.kafka.bootstrap, source, shape.partitions)
  const settings = await newStore(bench, contender, source, shape)
  const { ingest } = await ingestWhole(bench, contender, settings, shape.records)
  const { recoveryOwn, recovery, lookups } = await recoverAndLookUp(bench, contender, settings, {
    connections: bench.options.connections,
    seconds: lookupSeconds,
  })
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
  const recovered = recoveryOwn ?? recovery
  const megabytes = (perSecond: number) => textOf((perSecond * (shape.valueBytes + keyBytes)) / 1e6, 'MB/s')
  const rates = [fetched, ingest, recovered, lookups].map((rate) => textOf(rate, '/s'))
  return [name, String(shape.records), ...rates, megabytes(ingest), megabytes(recovered)]
}
