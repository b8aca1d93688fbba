import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { type FaultName, faultNames } from './fault-names.ts'

export interface Options {
  minutes: number
  seed: number
  /** Of faults, before everything is healed and held against the invariants. */
  roundSeconds: number
  partitions: number
  keys: number
  faults: readonly FaultName[]
  /** An executable to be tried in the place of one that is built now. */
  executable: string | undefined
  /** Folder for the logs and the history of rounds with violations. */
  keep: string | undefined
  /** Lets the run find the defects of these names, or all, that it plants itself. */
  plant: string | undefined
}

const known = {
  minutes: { type: 'string', default: '30', is: 'how long the run takes; the round that is under way is finished' },
  seed: { type: 'string', is: 'makes the same choices again, though not the same timing (random)' },
  'round-seconds': {
    type: 'string',
    default: '60',
    is: 'faults before all is healed, compared, compacted, compared again',
  },
  partitions: { type: 'string', default: '4', is: 'partitions of source and changelog' },
  keys: { type: 'string', default: '400', is: 'keys that are updated, deleted and looked up' },
  faults: { type: 'string', default: faultNames.join(','), is: 'which faults' },
  executable: { type: 'string', is: 'executable of Latchkey to be tried instead of one built now' },
  keep: { type: 'string', is: 'folder for logs and history of rounds with violations' },
  plant: {
    type: 'string',
    is: 'plants known defects, one after another (all, or a part of a name); exit code 1 where one is not found',
  },
  help: { type: 'boolean', default: false, is: 'shows this' },
} as const satisfies ParseArgsOptionsConfig & Record<string, { is: string }>

export const help = `Usage: bun test/faults/main.ts [options]

Three brokers and a store under faults, a feeder and a reader beside them, held against the invariants after every round.
Exit code 0: none was violated; 1: one was.

${Object.entries(known)
  .map(([name, option]) => {
    const usual = 'default' in option && option.default !== false ? ` (${option.default})` : ''
    return `  ${`--${name}`.padEnd(16)} ${option.is}${usual}`
  })
  .join('\n')}`

/** 'help' where that is asked for. @throws TypeError, RangeError where an option is unknown or no number */
export function optionsOf(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({ args: [...args], options: known })
  if (values.help) return 'help'
  const faults = values.faults.split(',')
  for (const name of faults) {
    if (!faultNames.includes(name as FaultName)) {
      throw new RangeError(`--faults ${name}: unknown fault; use ${faultNames.join(', ')}`)
    }
  }
  return {
    minutes: positive('minutes', values.minutes),
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : positive('seed', values.seed),
    roundSeconds: positive('round-seconds', values['round-seconds']),
    partitions: positive('partitions', values.partitions),
    keys: positive('keys', values.keys),
    faults: faults as FaultName[],
    executable: values.executable,
    keep: values.keep,
    plant: values.plant,
  }
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isFinite(number) || number <= 0) throw new RangeError(`--${name} ${value}: a number above 0 is needed`)
  return number
}
