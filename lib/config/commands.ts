/** The commands: their words and flags, for the command line and for --help. */
import { LatchkeyError } from '../errors.ts'
import { nearName } from '../text/did-you-mean.ts'
import { quote } from './quote.ts'

export interface CommandSpec {
  readonly usage: string
  readonly meaning: string
  /** Maximum of words that follow the command; `wordsMin` of them are needed. */
  readonly wordsMax: number
  readonly wordsMin: number
  /** Its own flags, besides those of all commands. */
  readonly flags: Readonly<Record<string, 'boolean' | 'string'>>
}

const keysMax = 1_000

export const commands = {
  get: {
    usage: 'get KEY [--json]',
    meaning: 'Prints the value of a key; with --json also partition, offset and time.',
    wordsMin: 1,
    wordsMax: 1,
    flags: { json: 'boolean' },
  },
  dump: {
    usage: 'dump [--prefix TEXT]',
    meaning: 'Prints all entries, one JSON object a line.',
    wordsMin: 0,
    wordsMax: 0,
    flags: { prefix: 'string' },
  },
  watch: {
    usage: 'watch [KEY …] [--prefix TEXT] [--from-start] [--json]',
    meaning: 'Prints changes until it is interrupted, with --from-start all entries before; with --json as objects.',
    wordsMin: 0,
    wordsMax: keysMax,
    flags: { prefix: 'string', 'from-start': 'boolean', json: 'boolean' },
  },
  status: {
    usage: 'status [--json]',
    meaning: 'Prints state, readiness, partitions and the group.',
    wordsMin: 0,
    wordsMax: 0,
    flags: { json: 'boolean' },
  },
} as const satisfies Record<string, CommandSpec>

export type ClientCommand = keyof typeof commands

export function isClientCommand(word: string): word is ClientCommand {
  return Object.hasOwn(commands, word)
}

export function isHelpFlag(word: string): boolean {
  return word === '--help' || word === '-h'
}

/** Names the page of --help that the first word of the command line belongs to. */
export function helpHint([word = '']: readonly string[]): string {
  return isClientCommand(word) || word === printCommand ? 'See latchkey --help commands.' : 'See latchkey --help.'
}

/** What `print` prints. */
export const printedDocuments = [
  'alerts',
  'dashboard',
  'dockerfile',
  'k8s',
  'k8s-group',
  'licenses',
  'openapi',
  'sbom',
  'unit',
] as const
export type PrintedDocument = (typeof printedDocuments)[number]

export const printCommand = 'print'

/** Another word for --check. */
export const checkCommand = 'check'

/** In the order of --help. */
export const commandNames: readonly string[] = [...Object.keys(commands), printCommand, checkCommand]

/** Flags of all commands, and their meaning. */
export const commandFlags = [
  ['--url URL', 'The store, such as https://orders.example:8080; else the one of the settings, on this host'],
  ['--store-id ID', 'Its name in URLs; else STORE_ID or SOURCE_TOPIC, else the one that the server names'],
  ['--env-file PATH', 'Reads this file instead of .env'],
] as const

export const commandExitCodes =
  '0 done; 1 the key is not found, or the store is not ready (status); 2 wrong arguments or settings; 3 no answer, or another error'

/** @param words after `print`. @throws LatchkeyError invalid_settings */
export function printedDocumentOf(words: readonly string[]): PrintedDocument {
  const [name = '', ...others] = words
  const found = printedDocuments.find((document) => document === name)
  if (found !== undefined && others.length === 0) return found
  const shown = words.map(quote).join(' ') || 'nothing'
  const near = nearName(name, printedDocuments)
  const hint =
    near === undefined || others.length > 0 ? `give one of ${printedDocuments.join(', ')}` : `did you mean ${near}?`
  throw new LatchkeyError('invalid_settings', `Reading what to print: found ${shown}; ${hint}`)
}
