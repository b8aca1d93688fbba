/**
 * Latchkey beside its peers, in one run, on one machine, over the same topic, against a real broker:
 *
 *     bun run bench [--quick] [--check] [--only latchkey,streex,streams,kafkajs] [--scenario start,peers,…]
 *
 * Progress goes to standard error, the table to standard output, every value as JSON into --output or .bench/. `--help` names the other
 * options, contenders/ what a contender is, report/wanted.ts what is wanted.
 */
import { mkdirSync } from 'node:fs'
import { closeKafka, startKafka } from '../support/kafka/index.ts'
import { buildFolder } from './build-folder.ts'
import { prepareContenders } from './contenders/index.ts'
import { redis } from './contenders/redis.ts'
import { describeRun } from './machine.ts'
import { help, type Options, optionsOf } from './options.ts'
import { Results } from './report/results.ts'
import { tableOf } from './report/table.ts'
import { misses, textOfMiss } from './report/wanted.ts'
import type { Bench } from './scenarios/bench.ts'
import { runScenarios } from './scenarios/index.ts'
import { benchClient } from './topics/filler.ts'

const options = readOptions(process.argv.slice(2))
const contenders = await prepareContenders(options.only, options.binary)
const about = describeRun(options, contenders)
console.error(about.join('\n'))
const kafka = await startKafka({ heapMegabytes: 1024 })
const results = new Results()
const tables: string[] = []
const startedAt = new Date()
try {
  const client = benchClient(kafka.bootstrap)
  const bench: Bench = { options, kafka, client, contenders: contenders.ready, results }
  tables.push(...(await runScenarios(bench)))
  client.close()
} finally {
  await closeKafka()
  await writeResults()
}

const hasRedis = results.samples.some(({ contender }) => contender === redis)
const names = [...contenders.ready.map(({ name }) => name), ...(hasRedis ? [redis] : [])]
if (results.measured().length > 0) tables.unshift(tableOf(results, names))
console.log([about.join('\n'), ...tables].join('\n\n'))
const missed = misses(results)
for (const miss of missed) console.log(textOfMiss(miss))
process.exit(options.check && missed.length > 0 ? 1 : 0)

/** Ends the process where they ask for help, and where they are wrong. */
function readOptions(args: readonly string[]): Options {
  if (args.includes('--help')) {
    console.log(`bun run bench [options]\n${help}`)
    process.exit(0)
  }
  try {
    return optionsOf(args)
  } catch (error) {
    console.error(`${(error as Error).message}\nbun run bench [options]\n${help}`)
    process.exit(2)
  }
}

/** Also of a run that failed half way. */
async function writeResults(): Promise<void> {
  mkdirSync(buildFolder(), { recursive: true })
  const path = options.output ?? buildFolder(`results-${startedAt.toISOString().replaceAll(':', '-')}.json`)
  const medians = results.measured().map((metric) => ({
    metric,
    contenders: Object.fromEntries(
      [...new Set(results.samples.map(({ contender }) => contender))].map((name) => [
        name,
        results.spread(metric, name),
      ]),
    ),
  }))
  await Bun.write(
    path,
    `${JSON.stringify({ startedAt, about, options, medians, samples: results.samples, tables }, undefined, 2)}\n`,
  )
  console.error(`Every value is in ${path}`)
}
