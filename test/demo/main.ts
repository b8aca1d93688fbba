/**
 * `npm run demo`: everything from nothing. Builds the executable, starts Kafka, feeds it orders, runs Latchkey beside a `.env` and
 * prints what to try. With `--once` it tries all of that itself and ends with exit code 0 or 1. With `--cluster` Latchkey runs three times, with
 * `--elastic` one to three times as a group.
 */
import { readFileSync, statSync } from 'node:fs'
import { constants } from 'node:os'
import { basename, join } from 'node:path'
import { watchNpm } from '../setup/parent.ts'
import { closeKafka, createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { freePorts, isFree } from '../support/process/ports.ts'
import { readArguments } from './arguments.ts'
import { changesStep } from './changes.ts'
import { clusterPartitions, runCluster } from './cluster.ts'
import { elasticPartitions, runElastic } from './elastic.ts'
import { Feed } from './feed.ts'
import { requireKafka } from './given-kafka.ts'
import { buildExecutable, Instance } from './instance.ts'
import { redisStep } from './redis.ts'
import { removeStore } from './remove-store.ts'
import { check, curlLine, demoRequests, urlOf } from './requests.ts'
import { indent, timer, tryAll } from './steps.ts'

const { isCluster, isElastic, once, fault } = readArguments(process.argv.slice(2))
const partitions = isCluster ? clusterPartitions : isElastic ? elasticPartitions : 4
const visibleTimeoutMs = 30_000
/** What was started, in order; ended in reverse. */
const started: { close: () => Promise<unknown> }[] = []
let ending: Promise<void> | undefined

if (fault !== undefined) {
  console.error(fault)
  process.exit(2)
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted)
watchNpm(() => interrupted('SIGHUP'))

try {
  const exitCode = await demo()
  if (!ending && (once || exitCode !== 0)) {
    await end()
    process.exit(exitCode)
  }
} catch (error) {
  if (ending) {
    await ending
  } // the reason is that things were ended under way
  else {
    console.error(`The demo failed: ${(error as Error).message}`)
    await end()
    process.exit(1)
  }
}

async function demo(): Promise<number> {
  const given = process.env['KAFKA_BROKERS']
  if (given) await requireKafka(given)

  const build = timer()
  const executable = await buildExecutable()
  console.log(`Built ${executable} (${Math.round(statSync(executable).size / 2 ** 20)} MiB, ${build()}).`)

  const start = timer()
  started.push({ close: closeKafka })
  const broker = await sharedKafka()
  console.log(`Kafka answers at ${broker.bootstrap} (${start()}).`)

  // On another broker use a free name, and leave nothing behind.
  const isForeign = Boolean(given)
  const storeId = isForeign ? uniqueName('orders') : 'orders'
  await createTopic(broker, storeId, { partitions })
  if (isForeign) console.log(`Topics and group are named ${storeId}, and are deleted at the end.`)
  if (isForeign) started.push({ close: () => removeStore(broker, storeId) })
  const feed = await Feed.open(broker, storeId)
  started.push(feed)
  await feed.writeSample()
  console.log(
    `Topic ${storeId} has ${partitions} partitions and ${feed.written} records of ${feed.book.latest.size} orders.`,
  )
  const several = { executable, broker, storeId, feed, once, started }
  if (isCluster) return runCluster(several)
  if (isElastic) return runElastic(several)

  const port = (await isFree(8080)) ? 8080 : (await freePorts(1))[0]!
  const redisPort = (await isFree(6379)) ? 6379 : (await freePorts(1))[0]!
  const base = `http://127.0.0.1:${port}`
  const settings = {
    SOURCE_TOPIC: storeId,
    STORE_ID: storeId,
    KAFKA_BROKERS: broker.bootstrap,
    SERVER_BIND: '127.0.0.1',
    SERVER_PORT: String(port),
    RESP_PORT: String(redisPort),
  }
  const recover = timer()
  const instance = new Instance(executable, settings, base)
  started.push(instance)
  console.log(
    `Latchkey runs in ${instance.folder}: the executable, this .env, its log in ${basename(instance.logFile)}.`,
  )
  console.log(indent(readFileSync(join(instance.folder, '.env'), 'utf8')))
  await instance.start()
  console.log(`It is ready (${recover()}).`)

  const [plain = ''] = feed.book.delivered('web')
  const etag = (await fetch(urlOf(base, storeId, plain))).headers.get('etag') ?? ''
  const requests = demoRequests(base, storeId, feed.book, etag)
  const further = [redisStep(redisPort, plain, feed.book.latest.get(plain)), changesStep(base, settings.STORE_ID, feed)]
  if (once) {
    const steps = requests.map((request) => ({ title: curlLine(request), act: () => check(request) }))
    const urlOfKey = (key: string) => urlOf(base, storeId, key)
    steps.push(...further)
    steps.push({ title: '# A new order is written to Kafka, then found', act: () => seeNewOrder(feed, urlOfKey) })
    steps.push({ title: '# SIGTERM ends it with exit code 0', act: () => endInstance(instance) })
    return tryAll(steps)
  }
  feed.keepWriting()
  console.log('\nTry, in another terminal:\n')
  console.log([...requests.map(curlLine), ...further.map(({ title }) => title)].map(indent).join('\n\n'))
  console.log('\nOrders keep coming, a few a second. Ctrl-C ends everything.')
  return 0
}

async function seeNewOrder(feed: Feed, urlOfKey: (key: string) => string): Promise<void> {
  const record = feed.book.place()
  await feed.write([record])
  const deadline = performance.now() + visibleTimeoutMs
  for (;;) {
    const answer = await fetch(urlOfKey(record.key))
    const body = await answer.text()
    if (answer.ok && body === record.value) return
    if (performance.now() > deadline) {
      throw new Error(`not found after ${visibleTimeoutMs} ms: ${answer.status} ${body}`)
    }
    await Bun.sleep(20)
  }
}

async function endInstance(instance: Instance): Promise<void> {
  const exitCode = await instance.stop()
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}; ${readFileSync(instance.logFile, 'utf8')}`)
}

/**
 * Called twice for one Ctrl-C: a terminal sends it to us and to npm, which passes it on.
 * It is how the demo ends, except where it was to try everything: then the exit code is the one of that signal.
 */
function interrupted(signal: NodeJS.Signals): void {
  if (ending) return
  console.log('\nEnding the demo…')
  void end().then(() => {
    console.log('Everything has ended.')
    process.exit(once ? 128 + constants.signals[signal] : 0)
  })
}

/** Ends what was started, the last first; once. */
function end(): Promise<void> {
  ending ??= (async () => {
    for (const resource of started.splice(0).toReversed()) {
      await resource.close().catch((error: Error) => console.error(`Ending the demo: ${error.message}`))
    }
  })()
  return ending
}
