/** Rows of the acceptance of groups, each with its figure: see DESIGN.md. */
import { closeKafka } from '../support/kafka/index.ts'
import { help, optionsOf } from './options.ts'
import { Row } from './row.ts'
import { rows } from './rows.ts'

const options = optionsOf(process.argv.slice(2))
if (options === 'help' || options.rows.length === 0) {
  console.log(help)
  console.log(`\nRows:\n${[...rows].map(([number, { title }]) => `  ${String(number).padEnd(4)} ${title}`).join('\n')}`)
  process.exit(options === 'help' ? 0 : 2)
}
let exitCode = 0
for (const number of options.rows) {
  const found = rows.get(number)
  if (found === undefined) throw new RangeError(`row ${number}: there is none; use ${[...rows.keys()].join(', ')}`)
  console.log(`\nrow ${number}: ${found.title}, seed ${options.seed}`)
  const row = new Row(options)
  try {
    await found.play(row)
  } catch (error) {
    // The harness could not continue.
    row.missed.push(`the row ended: ${(error as Error).stack}`)
  }
  for (const missed of row.missed) console.log(`MISSED ${missed}`)
  console.log(row.missed.length === 0 ? 'reached' : 'not reached')
  if (row.missed.length > 0) exitCode = 1
}
await closeKafka()
process.exit(exitCode)
