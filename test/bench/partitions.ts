/**
 * `bun test/bench/partitions.ts [keys] [cycles]`: what it costs that partitions come and go: promotions of copies, and the
 * memory that partitions give back. Each store is a process of its own, against a real broker.
 */
import { partitionStateOf } from '../../lib/store-protocol/partition-state.ts'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { startStore } from '../../lib/store/store.ts'
import { closeKafka, createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { storeConfigOf } from '../support/store/store-config-of.ts'
import { spreadOf } from './report/statistics.ts'
import { fillTopic } from './topics/filler.ts'

interface Wish {
  primaries: number[]
  replicas: number[]
  /** Time after which memory is read. */
  settleMs: number
}

interface Reached {
  ms: number
  /** Bytes of the changelog that were read since the start. */
  read: number
  resident: number
}

const partitions = 32
const all = Array.from({ length: partitions }, (_, partition) => partition)
/** What an instance of three has. */
const third = all.filter((partition) => partition % 3 === 0)
const none: number[] = []
const settleMs = 2_000
/** What a process keeps for itself for a while counts no more. */
const restMs = 60_000
const limitMs = 300_000
const handovers = 20
const handoversOfAll = 5

if (process.argv[2] === 'hold') await hold(JSON.parse(process.argv[3]!) as StoreConfig)
else await measure(Number(process.argv[2] ?? 600_000), Number(process.argv[3] ?? 20))

/** A store that holds what it gets as a message, and answers once it does. */
async function hold(config: StoreConfig): Promise<void> {
  const store = startStore(config, { level: 'error', structured: false })
  await store.ready
  process.on('message', (wish: Wish) => void reach(wish))
  process.on('disconnect', () => process.exit(0))
  process.send!('ready')

  async function reach(wish: Wish): Promise<void> {
    const since = performance.now()
    if (config.elastic !== undefined) store.want(wish)
    while (!isReached(wish)) {
      if (performance.now() - since > limitMs) throw new Error(`not held within ${limitMs} ms: ${JSON.stringify(wish)}`)
      await Bun.sleep(1)
    }
    const ms = performance.now() - since
    await Bun.sleep(wish.settleMs)
    const resident = process.memoryUsage.rss()
    process.send!({ ms, read: store.stats.count('bytesRecovered'), resident } satisfies Reached)
  }

  function isReached({ primaries, replicas }: Pick<Wish, 'primaries' | 'replicas'>): boolean {
    const { stats } = store
    const has = (role: number) => (partition: number) =>
      stats.gauge(partition, 'role') === role && partitionStateOf(stats, partition) === 'running'
    if (stats.partitions.length !== primaries.length + replicas.length) return false
    return primaries.every(has(0)) && replicas.every(has(1))
  }
}

class Holder {
  readonly #process: Bun.Subprocess
  #answer = Promise.withResolvers<unknown>()

  constructor(config: StoreConfig) {
    const command = [process.execPath, import.meta.path, 'hold', JSON.stringify(config)]
    this.#process = Bun.spawn(command, {
      stdout: 'inherit',
      stderr: 'inherit',
      ipc: (message) => this.#answer.resolve(message),
      onExit: (_, code) => this.#answer.reject(new Error(`a store ended with ${code}`)),
    })
  }

  async started(): Promise<this> {
    await this.#answer.promise
    return this
  }

  async want(primaries: number[], replicas: number[] = none, waitMs = settleMs): Promise<Reached> {
    this.#answer = Promise.withResolvers()
    this.#process.send({ primaries, replicas, settleMs: waitMs } satisfies Wish)
    return (await this.#answer.promise) as Reached
  }

  async stop(): Promise<void> {
    this.#answer.promise.catch(() => {})
    this.#process.kill()
    await this.#process.exited
  }
}

async function measure(keys: number, cycles: number): Promise<void> {
  const broker = await sharedKafka()
  const source = uniqueName('bench')
  await createTopic(broker, source, { partitions })
  await fillTopic(broker.bootstrap, { topic: source, partitions, records: keys, keys, round: 0, valueBytes: 170 })
  const config = storeConfigOf(source, broker.bootstrap)
  const elastic = { ...config, elastic: { lingerMs: 20 } }
  try {
    const [one, other] = await Promise.all([new Holder(elastic).started(), new Holder(elastic).started()])
    await one.want(all)
    await other.want(none, all)
    await promotions([one, other])
    await Promise.all([one.stop(), other.stop()])
    await memory(
      await new Holder(elastic).started(),
      await new Holder({ ...config, partitions: third }).started(),
      cycles,
    )
  } finally {
    await closeKafka()
  }
}

/** Partitions move from one store to the other and back. */
async function promotions(holders: [from: Holder, to: Holder]): Promise<void> {
  for (const [count, rounds] of [
    [1, handovers],
    [partitions, handoversOfAll],
  ] as const) {
    const [given, kept] = [all.slice(0, count), all.slice(count)]
    const taken: number[] = []
    let [from, to] = holders
    const reads: number[] = []
    for (let round = 0; round < 2 * rounds; round++) {
      const isBack = from === holders[1]
      await from.want(isBack ? none : kept, isBack ? all : given)
      const { ms, read } = await to.want(isBack ? all : given, isBack ? none : kept)
      taken.push(ms)
      reads.push(read)
      ;[from, to] = [to, from]
    }
    const again = reads.slice(2).map((read, index) => read - reads[index]!)
    console.log(`promotion of ${count}: ${spread(taken)} ms, bytes read again ${Math.max(...again)}`)
  }
}

async function memory(elastic: Holder, manual: Holder, cycles: number): Promise<void> {
  const alone = manual.want(third, none, restMs)
  const full: number[] = []
  const less: number[] = []
  for (let cycle = 0; cycle < cycles; cycle++) {
    full.push((await elastic.want(all)).resident)
    less.push((await elastic.want(third)).resident)
  }
  const rested = (await elastic.want(third, none, restMs)).resident
  const { resident: expected } = await alone
  await Promise.all([elastic.stop(), manual.stop()])
  const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20)
  console.log(`resident with all, MiB: ${full.map(megabytes).join(' ')}`)
  console.log(
    `resident with a third, MiB: ${less.map(megabytes).join(' ')}; a store that never had more: ${megabytes(expected)}`,
  )
  console.log(
    `after ${restMs / 1_000} s more: ${megabytes(rested)}, to that: ${(rested / expected).toFixed(2)}; growth over ${cycles} cycles: ${(full.at(-1)! / full[0]! - 1).toFixed(3)} with all, ${(less.at(-1)! / less[0]! - 1).toFixed(3)} with a third`,
  )
}

function spread(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values)
  return `median ${Math.round(median)}, least ${Math.round(min)}, most ${Math.round(max)}`
}
