import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

export interface Options {
  /** Rows of the table of acceptance, by number. */
  rows: number[]
  seed: number
  /** How often a fault is repeated; undefined: as the row says. */
  times: number | undefined
  keys: number
  partitions: number
  /** Lookups a second. */
  rate: number
  /** Records a second. */
  writes: number
  minutes: number
  /** Instances of one that is not the row's to choose. */
  instances: number | undefined
  executable: string | undefined
  /** Instances with partitions that are given to them, in the place of a group: to try the harness. */
  isManual: boolean
  settings: Record<string, string>
  keep: string | undefined
}

const known = {
  seed: { type: 'string', is: 'makes the same choices again, though not the same timing (random)' },
  times: { type: 'string', is: 'how often a fault is repeated (as the row says)' },
  keys: { type: 'string', default: '20000', is: 'keys that always have a value' },
  partitions: { type: 'string', default: '12', is: 'partitions of source and changelog' },
  rate: { type: 'string', default: '500', is: 'lookups a second' },
  writes: { type: 'string', default: '500', is: 'records a second' },
  minutes: { type: 'string', default: '30', is: 'of chaos; the round that is under way is finished' },
  instances: { type: 'string', is: 'instances (as the row says)' },
  executable: { type: 'string', is: 'executable of Latchkey to be tried instead of one built now' },
  manual: {
    type: 'boolean',
    default: false,
    is: 'instances without a group, each with its partitions: tries the harness',
  },
  set: {
    type: 'string',
    multiple: true,
    default: [] as string[],
    is: 'NAME=value, a setting of every instance; repeatable',
  },
  keep: { type: 'string', is: 'folder for the output of instances' },
  help: { type: 'boolean', default: false, is: 'shows this' },
} as const satisfies ParseArgsOptionsConfig & Record<string, { is: string }>

export const help = `Usage: bun test/fleet/main.ts <row>... [options]

Several instances of the executable on this machine, a writer and clients beside them, and the faults of a row of DESIGN.md.
Exit code 0: the row is reached; 1: it is not.

${Object.entries(known)
  .map(([name, option]) => {
    const usual = 'default' in option && typeof option.default === 'string' ? ` (${option.default})` : ''
    return `  ${`--${name}`.padEnd(14)} ${option.is}${usual}`
  })
  .join('\n')}`

/** 'help' where that is asked for. @throws TypeError, RangeError where an option is unknown or no number */
export function optionsOf(args: readonly string[]): Options | 'help' {
  const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true })
  if (values.help) return 'help'
  return {
    rows: positionals.map(rowOf),
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : positive('seed', values.seed),
    times: optional('times', values.times),
    keys: positive('keys', values.keys),
    partitions: positive('partitions', values.partitions),
    rate: positive('rate', values.rate),
    writes: positive('writes', values.writes),
    minutes: positive('minutes', values.minutes),
    instances: optional('instances', values.instances),
    executable: values.executable,
    isManual: values.manual,
    settings: Object.fromEntries(values.set.map(settingOf)),
    keep: values.keep,
  }
}

function settingOf(pair: string): [string, string] {
  const at = pair.indexOf('=')
  if (at < 1) throw new RangeError(`--set ${pair}: NAME=value is needed`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}

function rowOf(text: string): number {
  if (!/^\d+$/.test(text)) throw new RangeError(`row ${text}: a number is needed`)
  return Number(text)
}

function optional(name: string, value: string | undefined): number | undefined {
  return value === undefined ? undefined : positive(name, value)
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isFinite(number) || number <= 0) throw new RangeError(`${name} ${value}: a number above 0 is needed`)
  return number
}
