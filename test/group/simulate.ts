/**
 * Runs the simulation of a group for many seeds: `bun test/group/simulate.ts [seeds] [first] [fault]`. Prints the history
 * of each seed that finds a fault, and ends with 1 if there is one. A fault of InstanceFaults can be planted.
 */
import { World } from '../support/group/simulation/world.ts'

const [seeds = 10_000, first = 1] = process.argv.slice(2, 4).map(Number)
const fault = process.argv[4]
const faults = fault === undefined ? {} : { [fault]: true }
const began = performance.now()
let failed = 0
for (let seed = first; seed < first + seeds; seed++) {
  try {
    new World(seed, { faults }).run()
  } catch (error) {
    failed++
    console.log(String(error))
  }
}
console.log(`${seeds} seeds from ${first}: ${failed} failed, ${Math.round((performance.now() - began) / 1_000)} s`)
process.exit(failed === 0 ? 0 : 1)
