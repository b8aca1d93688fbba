import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { type ContenderName, contenderNames } from './contenders/index.ts'
import { type ScenarioName, scenarioNames } from './scenarios/names.ts'

export interface Options {
  records: number
  partitions: number
  valueBytes: number
  connections: number
  /** Of each load. */
  seconds: number
  rounds: number
  largeEntries: number
  endlessSeconds: number
  only: readonly ContenderName[]
  scenarios: readonly ScenarioName[]
  check: boolean
  /** An executable of Latchkey to be measured instead of one built now. */
  binary: string | undefined
  output: string | undefined
}

/** One round at the full size, for ratios do not hold for small stores, of what the ratios are about. */
const quick = { seconds: '3', rounds: '1', scenario: 'start,peers,beside,freshness' }

const known = {
  records: { type: 'string', default: '1000000', is: 'records of the topic' },
  partitions: { type: 'string', default: '4', is: 'partitions of the topic' },
  'value-bytes': { type: 'string', default: '170', is: 'bytes of a value' },
  connections: { type: 'string', default: '64', is: 'connections that ask at once' },
  seconds: { type: 'string', is: `seconds of each load (5, with --quick ${quick.seconds})` },
  rounds: { type: 'string', is: `rounds by turns (3, with --quick ${quick.rounds})` },
  large: { type: 'string', default: '5000000', is: 'entries of the large store' },
  'endless-seconds': { type: 'string', default: '45', is: 'seconds of endless updates' },
  only: { type: 'string', default: contenderNames.join(','), is: 'contenders' },
  scenario: { type: 'string', is: `scenarios (${scenarioNames.join(',')}; with --quick ${quick.scenario})` },
  check: { type: 'boolean', default: false, is: 'exit code 1 where a wanted ratio is missed' },
  quick: { type: 'boolean', default: false, is: 'about five minutes instead of thirty' },
  binary: { type: 'string', is: 'executable of Latchkey to be measured instead of one built now' },
  output: { type: 'string', is: 'path of the JSON (.bench/results-<time>.json)' },
} as const satisfies ParseArgsOptionsConfig & Record<string, { is: string }>

/** An option a line. */
export const help = Object.entries(known)
  .map(([name, option]) => {
    const usual = 'default' in option && option.default !== false ? ` (${option.default})` : ''
    return `  ${`--${name}`.padEnd(18)} ${option.is}${usual}`
  })
  .join('\n')

/** @throws TypeError, RangeError where an option is unknown or no number */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({ args: [...args], options: known })
  const given = (name: keyof typeof quick, usual: string) => values[name] ?? (values.quick ? quick[name] : usual)
  return {
    records: count('records', values.records),
    partitions: count('partitions', values.partitions),
    valueBytes: count('value-bytes', values['value-bytes']),
    connections: count('connections', values.connections),
    seconds: count('seconds', given('seconds', '5')),
    rounds: count('rounds', given('rounds', '3')),
    largeEntries: count('large', values.large),
    endlessSeconds: count('endless-seconds', values['endless-seconds']),
    only: someOf('only', values.only, contenderNames),
    scenarios: someOf('scenario', given('scenario', scenarioNames.join(',')), scenarioNames),
    check: values.check,
    binary: values.binary,
    output: values.output,
  }
}

function count(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) {
    throw new RangeError(`--${name} ${text}: a whole number above 0 is expected`)
  }
  return value
}

function someOf<T extends string>(name: string, text: string, all: readonly T[]): T[] {
  return text.split(',').map((given) => {
    const found = all.find((one) => one === given)
    if (found === undefined) throw new RangeError(`--${name} ${given}: expected some of ${all.join(',')}`)
    return found
  })
}
