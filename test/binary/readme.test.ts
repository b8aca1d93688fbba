/** README.md: each command that it shows is run, here or where the list says, and prints what is shown. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { OrderBook } from '../demo/orders.ts'
import { read } from '../style/repository.ts'
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess } from '../support/binary/latchkey-process.ts'
import { createTopic, type KafkaBroker, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Cluster } from '../support/kafka/topic-admin.ts'
import { freePorts } from '../support/process/ports.ts'
import { run, tail } from '../support/process/run.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { shellLines, type ShownCommand, shownCommands } from '../support/shown-commands.ts'

const commandTimeoutMs = 30_000
const setupTimeoutMs = 180_000
/** Where what stands in blocks of type `sh` is run, and what runs it there. */
const runElsewhere: Readonly<Record<string, readonly [path: string, text: string]>> = {
  'npm run demo': ['.ci/run', 'npm run --silent demo'],
  'npm run demo -- --once': ['.ci/run', 'demo -- --once'],
  'npm run demo -- --cluster': ['.ci/run', 'demo -- --once --cluster'],
  'npm run demo -- --elastic': ['.ci/run', 'demo -- --once --elastic'],
  'npm test': ['.ci/run', 'npm test'],
  'KAFKA_BROKERS=localhost:9092 npm run demo': ['test/demo/foreign-broker.test.ts', 'KAFKA_BROKERS='],
}
const readme = read('README.md')
const order = { id: '10002', status: 'delivered', items: [{ product: 'Door latch, steel', quantity: 1, price: 23.9 }] }

let broker: KafkaBroker
let topic: string
let port: number
let executable: string
let folder: string
let latchkey: LatchkeyProcess | undefined

beforeAll(async () => {
  broker = await sharedKafka()
  topic = await createTopic(broker, uniqueName('orders'), { partitions: 4 })
  port = (await freePorts(1))[0]!
  executable = await builtExecutable()
  folder = temporaryFolder('readme')
  const book = new OrderBook()
  const placed = Array.from({ length: 100 }, () => book.place())
  const shown = { key: '10002', value: JSON.stringify({ ...order, currency: 'EUR' }) }
  await new Cluster(broker).produce(topic, [...placed, shown])
}, setupTimeoutMs)

afterAll(async () => {
  await latchkey?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('the session of README.md works and prints what it shows', async () => {
  const commands = shownCommands(readme)
  expect(commands.length).toBeGreaterThan(6)
  for (const shown of commands) {
    if (shown.command === './latchkey') await startShown(shown)
    else await runShown(shown)
  }
})

test('every other command of README.md is run somewhere', () => {
  expect(shellLines(readme).toSorted()).toEqual(Object.keys(runElsewhere).toSorted())
  const missing = Object.values(runElsewhere).filter(([path, text]) => !read(path).includes(text))
  expect(missing).toEqual([])
})

test('every metric that README.md names exists', async () => {
  const metrics = await (await latchkey!.get('/metrics')).text()
  const names = [...new Set(readme.match(/\blatchkey_\w+/g))]
  expect(names.length).toBeGreaterThan(3)
  expect(names.filter((name) => !metrics.includes(`# HELP ${name} `))).toEqual([])
})

async function runShown({ command, printed }: ShownCommand): Promise<void> {
  const environment = `cd '${folder}' && export SERVER_PORT=${port}`
  const { stdout, stderr, exitCode } = await run(
    ['/bin/sh', '-c', `${environment}\n${ours(command)}`],
    commandTimeoutMs,
  )
  if (exitCode !== 0) throw new Error(`${command}: exit code ${exitCode}\n${tail(stdout + stderr)}`)
  const lines = linesOf(stdout)
  if (printed.includes('…')) expectLines(printed, lines)
  else expect(lines).toEqual(printed.map(withoutChance))
}

/** What it writes to both streams is shown as a terminal has it: each line is searched. */
async function startShown({ printed }: ShownCommand): Promise<void> {
  latchkey = await LatchkeyProcess.start({
    cwd: folder,
    path: join(folder, 'latchkey'),
    settings: { SERVER_PORT: String(port) },
  })
  await latchkey.until('it is ready', () => latchkey!.isReady())
  await latchkey.until('it shows a lookup', () => latchkey!.stdout.includes('/stores/'))
  expectLines(printed, [...linesOf(latchkey.stdout), ...linesOf(latchkey.stderr)])
}

/** Each line that is shown was printed; `…` stands for others. */
function expectLines(shown: readonly string[], printed: readonly string[]): void {
  const missing = shown.filter((line) => line !== '…' && !printed.includes(withoutChance(line)))
  expect(missing).toEqual([])
}

/** The command with the names of this run. */
function ours(command: string): string {
  return command
    .replaceAll('~/latchkey/dist/latchkey', executable)
    .replaceAll('localhost:9092', broker.bootstrap)
    .replaceAll('localhost:8080', `localhost:${port}`)
    .replaceAll(/\borders\b/g, topic)
}

/** What was printed, with the names of README.md, in lines. */
function linesOf(output: string): string[] {
  const text = output
    .replaceAll(broker.bootstrap, 'localhost:9092')
    .replaceAll(`:${port}/`, ':8080/')
    .replaceAll(`port ${port}`, 'port 8080')
    .replaceAll(topic, 'orders')
  return text === '' ? [] : text.trimEnd().split(/\r?\n/).map(withoutChance)
}

/** Times, offsets and other numbers differ from run to run; what is JSON does not. */
function withoutChance(line: string): string {
  if (line.startsWith('{')) return line
  return line
    .replace(/^(ETag: ).*/, '$1…')
    .replace(/\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d+ \w+ /, '…, ')
    .replace(/(\/stores\/orders\/).*/, '$1…')
    .replaceAll(/\d+/g, '0')
}
