/**
 * `npm run dev`: the executable's sources, run by Bun and started again when one changes, with a Kafka and the demo's orders next to them. With
 * KAFKA_BROKERS it uses that Kafka, and deletes its topics and its group at the end. Flags after `--` go to Latchkey.
 */
import { watch } from 'node:fs'
import { join, resolve } from 'node:path'
import { watchNpm } from '../setup/parent.ts'
import { closeKafka, createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { freePorts, isFree } from '../support/process/ports.ts'
import { Feed } from './feed.ts'
import { requireKafka } from './given-kafka.ts'
import { removeStore } from './remove-store.ts'

const root = resolve(import.meta.dir, '../..')
const partitions = 4
/** An editor or git changes several files in a row. */
const settleMs = 200

const given = process.env['KAFKA_BROKERS']
if (given) await requireKafka(given)
const broker = await sharedKafka()
const topic = given ? uniqueName('orders') : 'orders'
await createTopic(broker, topic, { partitions })
const feed = await Feed.open(broker, topic)
await feed.writeSample()
feed.keepWriting()

const port = (await isFree(8080)) ? 8080 : (await freePorts(1))[0]!
const environment = {
  ...process.env,
  SOURCE_TOPIC: topic,
  KAFKA_BROKERS: broker.bootstrap,
  SERVER_BIND: '127.0.0.1',
  SERVER_PORT: String(port),
}
console.log(
  `Kafka answers at ${broker.bootstrap}, with topic ${topic}. A change of main.ts or lib starts Latchkey again; Ctrl-C ends it.`,
)
let isEnding = false
let latchkey = start()
let hasChanged = false
let isRestarting = false
// Not `bun --watch`: it ends a process that handles SIGTERM, and does not start it again.
for (const path of ['main.ts', 'lib']) watch(join(root, path), { recursive: true }, changed)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end())
watchNpm(() => void end())

function start(): Bun.Subprocess {
  const command = [process.execPath, join(root, 'main.ts'), ...process.argv.slice(2)]
  return Bun.spawn(command, { cwd: root, env: environment, stdio: ['inherit', 'inherit', 'inherit'] })
}

function changed(): void {
  hasChanged = true
  if (!isRestarting) void restart()
}

/** Files that change while Latchkey ends do not start it twice. */
async function restart(): Promise<void> {
  isRestarting = true
  while (hasChanged) {
    hasChanged = false
    await Bun.sleep(settleMs)
  }
  console.log('The sources have changed: starting Latchkey again.')
  latchkey.kill('SIGTERM')
  await latchkey.exited
  hasChanged = false
  isRestarting = false
  if (!isEnding) latchkey = start()
}

/** Ends Latchkey, then what it stands on; once. */
async function end(): Promise<void> {
  if (isEnding) return
  isEnding = true
  latchkey.kill('SIGTERM')
  await latchkey.exited
  await feed.close()
  if (given) await removeStore(broker, topic)
  await closeKafka()
  process.exit(0)
}
