/**
 * Parses the command line: the program's own flags, and flags that give a setting. Does not check the values of
 * settings.
 */
import { parseArgs } from 'node:util'
import { longerNames, nearName } from '../text/did-you-mean.ts'
import { checkCommand, commandNames, printCommand, printedDocuments } from './commands.ts'
import { helpTopics } from './help.ts'
import { quote } from './quote.ts'
import { settingFlags } from './setting-names.ts'
import { switchWords } from './values.ts'

/** Flags that are named as the one perhaps meant. */
const shownNamesMax = 2

export interface Flags {
  help: boolean
  version: boolean
  licenses: boolean
  check: boolean
  rebuild: boolean
  'print-settings': boolean
  /** Argument of --help. */
  helpTopic?: string
  envFile?: string
  /**
   * Text by variable. Includes the value of a misspelt flag under the probable name, so that one typo gives one error.
   */
  values: Map<string, string>
  /**
   * Variables whose flag, or line in the env file, has no value. Each has an error already and is not reported as
   * missing.
   */
  valueless: Set<string>
  /** --env-file has no value, or the file cannot be read. */
  isEnvFileUnread: boolean
  faults: string[]
}

const ownFlags = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  licenses: { type: 'boolean' },
  check: { type: 'boolean' },
  rebuild: { type: 'boolean' },
  'print-settings': { type: 'boolean' },
  'env-file': { type: 'string' },
} as const
/** In addition to the short names above. */
const shortNames: Readonly<Record<string, string>> = { V: 'version' }
const flagNames = [...Object.keys(ownFlags), ...settingFlags.keys()]

/** The flag before a word, if the word may be its value. */
type Before =
  | { kind: 'switch'; variable: string }
  | { kind: 'help' }
  /** @member meant the flag that was probably meant */
  | { kind: 'unknown'; meant: string | undefined }

/** Parses the command line. Collects errors in `faults`; throws none. */
export function readFlags(argv: readonly string[]): Flags {
  const flags: Flags = {
    help: false,
    version: false,
    licenses: false,
    check: false,
    rebuild: false,
    'print-settings': false,
    values: new Map(),
    valueless: new Set(),
    isEnvFileUnread: false,
    faults: [],
  }
  let before: Before | undefined
  let wordBefore = -1
  const words = withoutValueless(flags, withoutCommand(flags, argv))
  for (const token of tokensOf(words)) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      takeWord(flags, token.value, before)
      before = undefined
      continue
    }
    // parseArgs reads `-store-id` as eight flags of one letter.
    const isBundle = /^-[^-]./.test(words[token.index] ?? '')
    if (isBundle && token.index === wordBefore) continue
    wordBefore = token.index
    before = isBundle ? unknownFlag(flags, words[token.index]!, undefined) : takeFlag(flags, token)
  }
  return flags
}

/** Handles a first word that is, or was meant as, a command. @returns the other words */
function withoutCommand(flags: Flags, argv: readonly string[]): readonly string[] {
  const [word] = argv
  if (word === undefined || word === '' || word.startsWith('-')) return argv
  if (word === checkCommand) flags.check = true
  else {
    const near = flagNames.includes(word) ? `--${word}` : (nearName(word, commandNames) ?? documentNear(word))
    const hint =
      near === undefined ? `it must be one of ${commandNames.join(', ')}, or a flag` : `did you mean ${near}?`
    flags.faults.push(`${quote(word)} is not a command: ${hint}`)
  }
  return argv.slice(1)
}

/** Returns the command that prints a document of this or a similar name. */
function documentNear(word: string): string | undefined {
  const near = nearName(word, printedDocuments)
  return near && `${printCommand} ${near}`
}

/**
 * Removes flags that need a value and have none, and reports them. A flag is never the value of the flag before it.
 * @returns the remaining words
 */
function withoutValueless(flags: Flags, argv: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    const next = argv[index + 1]
    const name = word.slice(2)
    const setting = word.startsWith('--') ? settingFlags.get(name) : undefined
    const takesValue = word === '--env-file' || (setting !== undefined && !setting.isSwitch)
    if (!takesValue) kept.push(word)
    else if (next === undefined || next.startsWith('--')) noValue(flags, name)
    else {
      kept.push(word, next)
      index++
    }
  }
  return kept
}

function noValue(flags: Flags, name: string): void {
  flags.faults.push(`--${name} has no value: give one, as in --${name}=…`)
  const setting = settingFlags.get(name)
  if (setting) flags.valueless.add(setting.variable)
  else flags.isEnvFileUnread = true
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

/** @returns what the next word would be */
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
  if (value === undefined) noValue(flags, name)
  else if (setting) flags.values.set(setting.variable, value)
  else flags.envFile = value
  return undefined
}

/** Handles a word that is not the value of a flag. */
function takeWord(flags: Flags, word: string, before: Before | undefined): void {
  if (before?.kind === 'switch' && switchWords.has(word.toLowerCase())) flags.values.set(before.variable, word)
  else if (before?.kind === 'help') takeHelpTopic(flags, word)
  // A word after an unknown flag was probably meant as its value. The error for the flag is enough.
  else if (before?.kind === 'unknown') takeAsMeant(flags, before.meant, word)
  else {
    const hint = commandNames.includes(word)
      ? `a command stands before its flags, as in latchkey ${word} …`
      : 'settings are given as flags, such as --source-topic orders'
    flags.faults.push(`${quote(word)} is not expected: ${hint}`)
  }
}

function takeHelpTopic(flags: Flags, word: string): void {
  if (helpTopics.includes(word)) flags.helpTopic = word
  else flags.faults.push(`--help ${quote(word)}: it must be one of ${helpTopics.join(', ')}, or nothing`)
}

function unknownFlag(flags: Flags, rawName: string, value: string | undefined): Before | undefined {
  const [name = '', inlineValue] = rawName.replace(/^--?/, '').split('=', 2)
  const nearest = nearName(name, flagNames)
  const meant = nearest === undefined ? longerNames(name, flagNames) : [nearest]
  const isKnown = meant.length > 0 && meant.length <= shownNamesMax
  const hint = isKnown
    ? `did you mean ${meant.map((flag) => `--${flag}`).join(' or ')}?`
    : 'leave it out; --help all has those that are'
  flags.faults.push(`${quote(rawName)} is not a flag: ${hint}`)
  const near = meant.length === 1 ? meant[0] : undefined
  const given = value ?? inlineValue
  takeAsMeant(flags, near, given)
  return given === undefined ? { kind: 'unknown', meant: near } : undefined
}

function takeAsMeant(flags: Flags, meant: string | undefined, value: string | undefined): void {
  if (meant === 'env-file') {
    flags.isEnvFileUnread = value === undefined
    if (value !== undefined) flags.envFile = value
    return
  }
  const setting = settingFlags.get(meant ?? '')
  if (setting === undefined) return
  if (value !== undefined) flags.values.set(setting.variable, value)
  else if (setting.isSwitch) flags.values.set(setting.variable, 'true')
  else flags.valueless.add(setting.variable)
}

function isOwnSwitch(name: string): name is 'help' | 'version' | 'licenses' | 'check' | 'rebuild' | 'print-settings' {
  return name in ownFlags && ownFlags[name as keyof typeof ownFlags].type === 'boolean'
}
