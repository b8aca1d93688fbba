import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run, tail } from '../../support/process/run.ts'
import { buildFolder, digestOf } from '../build-folder.ts'
import { type Contender, MissingToolchain } from './contender.ts'
import { launch } from './store-process.ts'

const sources = join(import.meta.dir, '../streams')
const buildTimeoutMs = 600_000
/** Of the heap: what the JVM and the clients need, and what an entry takes beside its value; tried with 1 and 5 million entries. */
const heapBaseMegabytes = 256
const entryOverheadBytes = 150
const threads = 2

export async function streams(): Promise<Contender> {
  const built = await build()
  return {
    name: 'Kafka Streams',
    terms: `4.1.1, table in memory with changelog, no cache, ${threads} threads, Undertow; defaults of Streams (acks=all, idempotent)`,
    ingestShare: 1,
    givenChangelog: false,
    flushes: false,
    changelogOf: (id) => `${id}-store-changelog`,
    start({ id, bootstrap, source, partitions, entries, valueBytes, stateFolder }) {
      const heap = Math.ceil(heapBaseMegabytes + (entries * (valueBytes + entryOverheadBytes)) / 2 ** 20)
      const classPath = [join(built, 'classes'), join(built, 'libs/*')].join(':')
      const java = ['java', `-Xmx${heap}m`, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', classPath]
      return launch({
        id,
        command: (port, folder) => [
          ...java,
          'StreamsStore',
          bootstrap,
          id,
          source,
          String(partitions),
          stateFolder ?? folder,
          String(port),
          String(threads),
          ...(stateFolder === undefined ? [] : ['table=rocksdb']),
        ],
        env: () => ({}),
        recovery: /restored \d+ records in ([\d.]+) (ms)/,
      })
    },
  }
}

async function build(): Promise<string> {
  const pom = join(sources, 'pom.xml')
  const target = buildFolder(`streams-${digestOf(pom, join(sources, 'src/main/java/StreamsStore.java'))}`)
  if (await Bun.file(join(target, 'classes/StreamsStore.class')).exists()) return target
  console.error('Building the Kafka Streams store (once)…')
  const draft = `${target}.draft`
  mkdirSync(buildFolder(), { recursive: true })
  rmSync(draft, { recursive: true, force: true })
  const command = ['mvn', '-B', '-q', '-f', pom, `-Dtarget=${draft}`, 'compile']
  const result = await run(command, buildTimeoutMs).catch((error: Error) => {
    throw new MissingToolchain(`${error.message}; it needs a JDK 17 and Maven`)
  })
  if (result.exitCode !== 0) throw new MissingToolchain(`mvn ended with ${result.exitCode}\n${tail(result.stdout)}`)
  renameSync(draft, target)
  return target
}
