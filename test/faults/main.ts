/** A store on three brokers under faults for as long as one likes: see DESIGN.md. */
import { builtExecutable } from '../support/binary/built.ts'
import { closeKafka, startCluster } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'
import { help, type Options, optionsOf } from './options.ts'
import { plantedExecutable } from './planted.ts'
import { plants } from './plants.ts'
import { playRound } from './round.ts'
import { Tally } from './tally.ts'

const options = optionsOf(process.argv.slice(2))
if (options === 'help') {
  console.log(help)
  process.exit(0)
}
const exitCode = options.plant === undefined ? await play(options) : await findPlants(options, options.plant)
await closeKafka()
process.exit(exitCode)

/** Rounds until the time is over. */
async function play(given: Options): Promise<number> {
  const executable = given.executable ?? (await builtExecutable())
  const tally = await rounds({ ...given, executable }, () => false)
  return tally.violations.length > 0 ? 1 : 0
}

/** Of each defect rounds until it is found, or the time is over. */
async function findPlants(given: Options, name: string): Promise<number> {
  const planted = plants.filter((plant) => name === 'all' || plant.name.includes(name))
  const missed: string[] = []
  for (const plant of planted) {
    console.log(`\nplanted: ${plant.name}`)
    const executable = await plantedExecutable(plant)
    const tally = await rounds({ ...given, executable }, ({ violations }) => violations.length > 0)
    if (tally.violations.length === 0) missed.push(plant.name)
  }
  console.log(
    `\n${planted.length - missed.length} of ${planted.length} planted defects were found; missed: ${missed.join() || 'none'}`,
  )
  return missed.length > 0 || planted.length === 0 ? 1 : 0
}

async function rounds(given: Options, isEnough: (tally: Tally) => boolean): Promise<Tally> {
  const random = new Random(given.seed)
  console.log(`seed ${given.seed}`)
  const cluster = await startCluster()
  const tally = new Tally()
  const end = performance.now() + given.minutes * 60_000
  try {
    while (performance.now() < end && !isEnough(tally)) {
      console.log(`round ${tally.rounds + 1}`)
      const found = await playRound(cluster, random, given, tally)
      for (const violation of found) console.log(`VIOLATION ${violation}`)
      tally.violations.push(...found)
    }
  } finally {
    await cluster.close()
  }
  for (const [index, last] of tally.ends.entries()) console.log(`\nended by itself, ${index + 1}:\n${last}`)
  console.log(`\n${tally.summary()}`)
  return tally
}
