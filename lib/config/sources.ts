/** Where the text of a setting comes from: flags over environment over an env file. Values are looked at by nobody here. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs, parseEnv } from 'node:util'
import { longerName, nearName } from '../near-name.ts'
import { whyUnreadable } from '../unreadable.ts'
import { quote } from './quote.ts'
import { fileVariable, secretOf, type SettingText } from './secrets.ts'
import { flagOf, metadataOf, type SettingKey, settingKeys } from './settings.ts'

export type { SettingText }

export interface ConfigInput {
  /** Arguments after the program's name. */
  argv: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  /** Directories that `.env` is looked for in; the first that has one counts. */
  envDirectories: readonly string[]
}

export interface Flags {
  help: boolean
  version: boolean
  check: boolean
  rebuild: boolean
  envFile?: string
  /** Text by variable. */
  values: Map<string, string>
  faults: string[]
}

export interface Source {
  /** Completes "SERVER_PORT=80a" in messages. */
  origin: string
  values: ReadonlyMap<string, string>
}

interface Given {
  variable: string
  isSwitch?: true
}

/** All that can be given: the settings, and for those that hold secrets the names of files. */
const givens: Given[] = settingKeys.flatMap((key): Given[] => {
  const metadata = metadataOf(key)
  return metadata.isSecret ? [metadata, { variable: fileVariable(metadata.variable) }] : [metadata]
})
const variables = givens.map(({ variable }) => variable)
const settingFlags = new Map(givens.map((given) => [flagOf(given.variable), given]))
const ownFlags = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
  check: { type: 'boolean' },
  rebuild: { type: 'boolean' },
  'env-file': { type: 'string' },
} as const
const flagNames = [...Object.keys(ownFlags), ...settingFlags.keys()]

/** Reads the command line; each thing wrong with it becomes a fault, none is thrown. */
export function readFlags(argv: readonly string[]): Flags {
  const settingOptions = [...settingFlags].map(([flag, { isSwitch }]) => {
    return [flag, { type: isSwitch ? 'boolean' : 'string' }] as const
  })
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...Object.fromEntries(settingOptions), ...ownFlags },
    strict: false,
    allowNegative: true,
    tokens: true,
  })
  const flags: Flags = { help: false, version: false, check: false, rebuild: false, values: new Map(), faults: [] }
  let switchBefore: string | undefined
  let unknownBefore = false
  for (const token of tokens) {
    const [switchVariable, followsUnknown] = [switchBefore, unknownBefore]
    switchBefore = undefined
    unknownBefore = false
    if (token.kind === 'positional') {
      if (switchVariable && /^(true|false)$/i.test(token.value)) flags.values.set(switchVariable, token.value)
      // What follows an unknown flag was probably meant as its value; one fault is enough.
      else if (!followsUnknown) flags.faults.push(`${quote(token.value)} is not expected: settings are given as flags`)
      continue
    }
    if (token.kind !== 'option') continue
    const setting = settingFlags.get(token.name)
    const negated = token.rawName.startsWith('--no-')
    if (setting?.isSwitch) {
      flags.values.set(setting.variable, token.value ?? (negated ? 'false' : 'true'))
      if (token.value === undefined && !negated) switchBefore = setting.variable
    } else if (negated || !(setting || token.name in ownFlags)) {
      flags.faults.push(unknownFlag(token.rawName))
      unknownBefore = token.value === undefined
    } else if (isOwnSwitch(token.name)) {
      flags[token.name] = true
    } else if (token.value === undefined || (!token.inlineValue && token.value.startsWith('--'))) {
      flags.faults.push(`${token.rawName} has no value: give one, as in ${token.rawName}=…`)
    } else if (setting) {
      flags.values.set(setting.variable, token.value)
    } else {
      flags.envFile = token.value
    }
  }
  return flags
}

function isOwnSwitch(name: string): name is 'help' | 'version' | 'check' | 'rebuild' {
  return name in ownFlags && ownFlags[name as keyof typeof ownFlags].type === 'boolean'
}

/**
 * The env file: the one named by --env-file, else `.env` of the first directory that has one, else nothing.
 * Variables that are no setting but almost one are faults there: the file is ours, and a slip would be passed over in silence.
 */
export function readEnvFile(named: string | undefined, directories: readonly string[], faults: string[]): Source {
  const paths = named === undefined ? directories.map((directory) => join(directory, '.env')) : [named]
  for (const path of paths) {
    try {
      const text = readFileSync(path, 'utf8')
      const values = new Map(Object.entries(parseEnv(text) as Record<string, string>))
      for (const { line, name } of unassigned(text)) {
        faults.push(`line ${line} of ${path} gives ${name} no value: it must be ${name}=<value>`)
      }
      for (const { name, near } of nearVariables(values.keys())) {
        faults.push(`${name} in ${path} is no setting: did you mean ${near}?`)
      }
      return { origin: path, values }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (named === undefined && code === 'ENOENT') continue
      faults.push(`${path} cannot be read as env file: ${whyUnreadable(error)}`)
    }
  }
  return { origin: 'no .env', values: new Map() }
}

/** Lines that begin with a setting but not with "=", such as `SOURCE_TOPIC: orders`: parseEnv passes over them. Lines from 1. */
function unassigned(text: string): { line: number; name: string }[] {
  return text.split('\n').flatMap((content, index) => {
    const name = /^\s*(?:export\s+)?([A-Z_]+)(?![A-Za-z0-9_])(?!\s*=)/.exec(content)?.[1]
    return name !== undefined && variables.includes(name) ? [{ line: index + 1, name }] : []
  })
}

/** Names that are no setting, each with the setting that it almost is. */
export function nearVariables(names: Iterable<string>): { name: string; near: string }[] {
  const found: { name: string; near: string }[] = []
  for (const name of names) {
    if (variables.includes(name)) continue
    const near = nearName(name, variables)
    if (near) found.push({ name, near })
  }
  return found
}

/** The text of a setting out of the first source that has it, empty text counting as not given; of a secret also out of its file. */
export function textOf(key: SettingKey, sources: readonly Source[], faults: string[]): SettingText | undefined {
  const { variable, isSecret } = metadataOf(key)
  const plain = firstOf(variable, sources)
  return isSecret ? secretOf(variable, plain, firstOf(fileVariable(variable), sources), faults) : plain
}

function firstOf(variable: string, sources: readonly Source[]): SettingText | undefined {
  for (const { origin, values } of sources) {
    const text = values.get(variable)?.trim()
    if (text) return { text, origin, isFile: false }
  }
  return undefined
}

function unknownFlag(rawName: string): string {
  const name = rawName.replace(/^--?/, '')
  const near = nearName(name, flagNames) ?? longerName(name, flagNames)
  return `${quote(rawName)} is no flag: ${near ? `did you mean --${near}?` : 'see latchkey --help'}`
}
