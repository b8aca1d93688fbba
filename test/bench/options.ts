import { parseArgs } from 'node:util'
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

/** @throws where an option is unknown or no number */
export function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: 'string', default: '1000000' },
      partitions: { type: 'string', default: '4' },
      'value-bytes': { type: 'string', default: '170' },
      connections: { type: 'string', default: '64' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      large: { type: 'string', default: '5000000' },
      'endless-seconds': { type: 'string', default: '45' },
      only: { type: 'string', default: contenderNames.join(',') },
      scenario: { type: 'string' },
      check: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      binary: { type: 'string' },
      output: { type: 'string' },
    },
  })
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
  if (!Number.isInteger(value) || value < 1)
    throw new RangeError(`--${name} ${text}: a whole number above 0 is expected`)
  return value
}

function someOf<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  return text.split(',').map((given) => {
    const found = known.find((one) => one === given)
    if (found === undefined) throw new RangeError(`--${name} ${given}: expected some of ${known.join(',')}`)
    return found
  })
}
