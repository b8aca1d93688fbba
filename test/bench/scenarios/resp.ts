/**
 * The Redis protocol: processor time a key of Latchkey and of redis-server, by turns, with redis-benchmark as the load.
 * Processor time, because the load takes a processor itself.
 */
import { RedisClient } from 'bun'
import { freePorts } from '../../support/process/ports.ts'
import { run } from '../../support/process/run.ts'
import { redis, startRedis } from '../contenders/redis.ts'
import { textOf } from '../report/metrics.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, say } from './bench.ts'

/** As many as redis-benchmark writes for `__rand_int__`. */
const keyDigits = 12
const clients = '50'
const loadTimeoutMs = 300_000
const pollMs = 100
const randomKey = 'user-__rand_int__'

interface Work {
  metric: 'respSingle' | 'respPipelined' | 'respMany'
  commands: number
  pipeline: number
  words: string[]
}

const works: readonly Work[] = [
  { metric: 'respSingle', commands: 300_000, pipeline: 1, words: ['GET', randomKey] },
  { metric: 'respPipelined', commands: 2_000_000, pipeline: 16, words: ['GET', randomKey] },
  {
    metric: 'respMany',
    commands: 20_000,
    pipeline: 1,
    words: ['MGET', ...Array.from({ length: 100 }, () => randomKey)],
  },
]

interface Asked {
  name: string
  port: number
  processorMs(): number
}

export async function resp(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  const missing = ['redis-server', 'redis-benchmark'].filter((program) => Bun.which(program) === null)
  if (contender === undefined || missing.length > 0) {
    say(`resp is left out: ${missing.length > 0 ? `no ${missing.join(', no ')}` : `no ${subject}`}`)
    return
  }
  const { records, valueBytes, rounds } = bench.options
  const source = await filledTopic(bench, 'resp', { keyDigits })
  const [port = 0] = await freePorts(1)
  const settings = await newStore(bench, contender, source)
  const store = await contender.start({ ...settings, environment: { RESP_PORT: String(port) } })
  try {
    await store.answers()
    await untilFull(port, records)
    await using server = await startRedis(records, valueBytes, (id) => `user-${String(id).padStart(keyDigits, '0')}`)
    const asked: Asked[] = [
      { name: subject, port, processorMs: () => store.processorMs() },
      { name: redis, port: server.port, processorMs: () => server.processorMs() },
    ]
    // A JIT has to have seen the commands before they are timed.
    for (const one of asked) for (const work of works) await load(one, work, records, work.commands)
    for (let round = 0; round < rounds; round++) {
      for (const work of works) for (const one of rotated(asked, round)) await turn(bench, one, work)
    }
  } finally {
    await store.stop()
  }
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
}

async function untilFull(port: number, records: number): Promise<void> {
  const client = new RedisClient(`redis://127.0.0.1:${port}`)
  while ((await client.send('DBSIZE', []).catch(() => 0)) !== records) await Bun.sleep(pollMs)
  client.close()
}

async function turn({ options, results }: Bench, asked: Asked, work: Work): Promise<void> {
  const before = asked.processorMs()
  await load(asked, work, options.records, work.commands)
  const keys = work.commands * (work.words.length - 1)
  const micros = ((asked.processorMs() - before) * 1_000) / keys
  results.add(asked.name, { [work.metric]: micros })
  say(`${asked.name}: ${work.words[0]} with ${work.pipeline} pipelined: ${textOf(micros, 'µs')} µs a key`)
}

async function load({ port }: Asked, { pipeline, words }: Work, records: number, commands: number): Promise<void> {
  const where = ['-h', '127.0.0.1', '-p', String(port), '-c', clients]
  const much = ['-n', String(commands), '-P', String(pipeline), '-r', String(records), '-q']
  const { exitCode, stdout, stderr } = await run(['redis-benchmark', ...where, ...much, ...words], loadTimeoutMs)
  if (exitCode !== 0 || /error/i.test(stdout + stderr)) throw new Error(`redis-benchmark: ${stdout}${stderr}`)
}
