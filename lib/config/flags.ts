/** The command line: flags of the program itself, and those that give a setting. Values of settings are looked at by nobody here. */
import { parseArgs } from 'node:util'
import { longerName, nearName } from '../near-name.ts'
import { type Given, settingFlags } from './givens.ts'
import { helpTopics } from './help.ts'
import { quote } from './quote.ts'
import { switchWords } from './values.ts'

export interface Flags {
  help: boolean
  version: boolean
  licenses: boolean
  check: boolean
  rebuild: boolean
  /** What --help is asked about. */
  helpTopic?: string
  envFile?: string
  /** Text by variable. Where a name was almost right, its value stands here, too: a slip is one fault. */
  values: Map<string, string>
  /** Variables of flags that have no value: a fault has been found in them already. */
  valueless: Set<string>
  faults: string[]
}

const ownFlags = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  licenses: { type: 'boolean' },
  check: { type: 'boolean' },
  rebuild: { type: 'boolean' },
  'env-file': { type: 'string' },
} as const
/** As well as the short names above. */
const shortNames: Readonly<Record<string, string>> = { V: 'version' }
const flagNames = [...Object.keys(ownFlags), ...settingFlags.keys()]

/** The flag before a word, where the word may be its value. */
type Before =
  | { kind: 'switch'; variable: string }
  | { kind: 'help' }
  /** @member meant the setting that the flag almost names */
  | { kind: 'unknown'; meant: Given | undefined }

/** Reads the command line; each thing wrong with it becomes a fault, none is thrown. */
export function readFlags(argv: readonly string[]): Flags {
  const flags: Flags = {
    help: false,
    version: false,
    licenses: false,
    check: false,
    rebuild: false,
    values: new Map(),
    valueless: new Set(),
    faults: [],
  }
  let before: Before | undefined
  let wordBefore = -1
  for (const token of tokensOf(argv)) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      takeWord(flags, token.value, before)
      before = undefined
      continue
    }
    // `-store-id` comes as eight flags of one letter.
    const isBundle = /^-[^-]./.test(argv[token.index] ?? '')
    if (isBundle && token.index === wordBefore) continue
    wordBefore = token.index
    before = isBundle ? unknownFlag(flags, argv[token.index]!, undefined) : takeFlag(flags, token)
  }
  return flags
}

function tokensOf(argv: readonly string[]) {
  const settingOptions = [...settingFlags].map(([flag, { isSwitch }]) => {
    return [flag, { type: isSwitch ? 'boolean' : 'string' }] as const
  })
  return parseArgs({
    args: [...argv],
    options: { ...Object.fromEntries(settingOptions), ...ownFlags },
    strict: false,
    allowNegative: true,
    tokens: true,
  }).tokens
}

type FlagToken = Extract<ReturnType<typeof tokensOf>[number], { kind: 'option' }>

/** @returns what the word behind it would be */
function takeFlag(flags: Flags, token: FlagToken): Before | undefined {
  const { rawName, value } = token
  const name = shortNames[token.name] ?? token.name
  const setting = settingFlags.get(name)
  const isNegated = rawName.startsWith('--no-')
  if (setting?.isSwitch) {
    flags.values.set(setting.variable, value ?? (isNegated ? 'false' : 'true'))
    return value === undefined && !isNegated ? { kind: 'switch', variable: setting.variable } : undefined
  }
  if (isNegated || !(setting || name in ownFlags)) return unknownFlag(flags, rawName, value)
  if (isOwnSwitch(name)) {
    flags[name] = true
    if (name !== 'help') return undefined
    if (value !== undefined) takeHelpTopic(flags, value)
    return { kind: 'help' }
  }
  if (value === undefined || (!token.inlineValue && value.startsWith('--'))) {
    flags.faults.push(`${rawName} has no value: give one, as in ${rawName}=…`)
    if (setting) flags.valueless.add(setting.variable)
  } else if (setting) flags.values.set(setting.variable, value)
  else flags.envFile = value
  return undefined
}

/** A word that no flag has taken as its value. */
function takeWord(flags: Flags, word: string, before: Before | undefined): void {
  if (before?.kind === 'switch' && switchWords.has(word.toLowerCase())) flags.values.set(before.variable, word)
  else if (before?.kind === 'help') takeHelpTopic(flags, word)
  // What follows an unknown flag was probably meant as its value; one fault is enough.
  else if (before?.kind === 'unknown') takeAsMeant(flags, before.meant, word)
  else flags.faults.push(`${quote(word)} is not expected: settings are given as flags`)
}

function takeHelpTopic(flags: Flags, word: string): void {
  if (helpTopics.includes(word)) flags.helpTopic = word
  else flags.faults.push(`--help ${quote(word)}: it must be one of ${helpTopics.join(', ')}, or nothing`)
}

function unknownFlag(flags: Flags, rawName: string, value: string | undefined): Before | undefined {
  const [name = '', inlineValue] = rawName.replace(/^--?/, '').split('=', 2)
  const near = nearName(name, flagNames) ?? longerName(name, flagNames)
  flags.faults.push(`${quote(rawName)} is no flag: ${near ? `did you mean --${near}?` : 'see latchkey --help'}`)
  const meant = near === undefined ? undefined : settingFlags.get(near)
  const given = value ?? inlineValue
  takeAsMeant(flags, meant, given)
  return given === undefined ? { kind: 'unknown', meant } : undefined
}

function takeAsMeant({ values, valueless }: Flags, meant: Given | undefined, value: string | undefined): void {
  if (meant === undefined) return
  if (value !== undefined) values.set(meant.variable, value)
  else if (meant.isSwitch) values.set(meant.variable, 'true')
  else valueless.add(meant.variable)
}

function isOwnSwitch(name: string): name is 'help' | 'version' | 'licenses' | 'check' | 'rebuild' {
  return name in ownFlags && ownFlags[name as keyof typeof ownFlags].type === 'boolean'
}
