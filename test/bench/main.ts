/**
 * The figures of the README, measured on the executable against a real broker on this machine:
 *
 *     bun run bench [--records 1000000] [--partitions 4] [--value-bytes 170] [--connections 64] [--seconds 5]
 *
 * The broker, the executable and the load share the machine's cores: what is printed is what a whole system does here.
 */
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { closeKafka, createTopic, startKafka, uniqueName } from '../kafka/index.ts'
import { buildExecutable, type Running, startExecutable } from './executable.ts'
import { fillTopic } from './fill-topic.ts'

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    partitions: { type: 'string', default: '4' },
    'value-bytes': { type: 'string', default: '170' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
  },
})
const records = Number(values.records)
const partitions = Number(values.partitions)
const valueBytes = Number(values['value-bytes'])
/** Updates that are ingested while lookups are measured: enough for all of that time. */
const updateRounds = 4

interface Load {
  perSecond: number
  p50Ms: number
  p99Ms: number
  maxMs: number
  notFound: number
  failures: number
}

async function load(store: Running, id: string): Promise<Load> {
  const script = join(import.meta.dir, 'load.ts')
  const command = [process.execPath, script, store.url, id, String(records), values.connections, values.seconds]
  return (await new Response(Bun.spawn(command, { stderr: 'inherit' }).stdout).json()) as Load
}

function print(what: string, figure: string): void {
  console.log(`${what.padEnd(44)} ${figure}`)
}

const count = (value: number) => Math.round(value).toLocaleString('en')
const milliseconds = (value: number) => `${value.toFixed(2)} ms`

console.log(
  `${cpus().length} cores, ${cpus()[0]?.model}; ${count(records)} records, ${partitions} partitions, values of ${valueBytes} bytes\n`,
)
const executable = await buildExecutable()
const kafka = await startKafka({ heapMegabytes: 1024 })
try {
  const topic = await createTopic(kafka, uniqueName('bench'), { partitions })
  const settings = { SOURCE_TOPIC: topic, KAFKA_BROKERS: kafka.bootstrap, STORE_ID: topic }
  const filling = { topic, partitions, records, keys: records, valueBytes }
  await fillTopic(kafka.bootstrap, { ...filling, round: 0 })

  const first = await startExecutable(executable, settings)
  const runningMs = await first.until('running')
  const ingestMs = (await first.until('ready')) - runningMs
  print('ingest, changelog acknowledged', `${count(records / (ingestMs / 1000))} records/s`)
  print('time to first answer, empty store', milliseconds(runningMs))
  await first.stop()

  const second = await startExecutable(executable, settings)
  const recoveryMs = await second.until('running')
  print(
    'recovery, process start to serving',
    `${count(records / (recoveryMs / 1000))} records/s (${(recoveryMs / 1000).toFixed(2)} s)`,
  )
  await second.until('ready')
  const resident = await second.residentBytes()
  print('resident memory, all in', `${count(resident / 1e6)} MB, ${count(resident / records)} bytes an entry`)
  await load(second, topic) // warm
  const idle = await load(second, topic)
  print(
    'lookups, idle store',
    `${count(idle.perSecond)}/s, p50 ${milliseconds(idle.p50Ms)}, p99 ${milliseconds(idle.p99Ms)}`,
  )
  await second.stop()

  await fillTopic(kafka.bootstrap, { ...filling, records: records * updateRounds, round: 1 })
  const third = await startExecutable(executable, settings)
  await third.until('running')
  const before = await third.metric('latchkey_records_consumed_total')
  const start = performance.now()
  const beside = await load(third, topic)
  const consumed = (await third.metric('latchkey_records_consumed_total')) - before
  const perSecond = consumed / ((performance.now() - start) / 1000)
  print(
    'lookups beside full ingest',
    `${count(beside.perSecond)}/s, p50 ${milliseconds(beside.p50Ms)}, p99 ${milliseconds(beside.p99Ms)}`,
  )
  print('  ingest beside those lookups', `${count(perSecond)} records/s`)
  print('  p99 beside ingest to p99 idle', `${(beside.p99Ms / idle.p99Ms).toFixed(1)} to 1`)
  print('lookups that failed', String(idle.failures + beside.failures + idle.notFound + beside.notFound))
  await third.stop()
} finally {
  await closeKafka()
}
process.exit(0)
