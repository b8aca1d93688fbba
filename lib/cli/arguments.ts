/** Parses the words and flags after the name of a command. */
import { parseArgs } from 'node:util'
import { type ClientCommand, type ClientFlags, commands, faultsError, variableOf } from '../config/index.ts'
import { nearName } from '../text/did-you-mean.ts'

export interface Arguments {
  readonly words: readonly string[]
  readonly json: boolean
  readonly prefix: string | undefined
  readonly fromStart: boolean
  readonly client: ClientFlags
}

/** Settings that a flag can give, besides the flags of the command. */
const settings = ['store-id', 'source-topic', 'server-bind', 'server-port', 'server-tls-cert', 'server-token-file']
const commonFlags = {
  url: 'string',
  'env-file': 'string',
  ...Object.fromEntries(settings.map((flag) => [flag, 'string'])),
}

/** @throws LatchkeyError invalid_settings, with all errors */
export function readArguments(command: ClientCommand, argv: readonly string[]): Arguments {
  const { usage, flags, wordsMin, wordsMax } = commands[command]
  const known: Record<string, 'boolean' | 'string'> = { ...commonFlags, ...flags } as never
  const options = Object.fromEntries(Object.entries(known).map(([name, type]) => [name, { type }]))
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string>()
  const words: string[] = []
  const faults: string[] = []
  for (const [at, token] of tokens.entries()) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const { name, rawName, value, index } = token
    const type = known[name]
    // There are no short flags: -abc is one word, which the parser splits.
    if (!rawName.startsWith('--')) {
      if (tokens[at - 1]?.index !== index) faults.push(unknownFlag(command, argv[index]!, Object.keys(known)))
    } else if (type === undefined) faults.push(unknownFlag(command, rawName, Object.keys(known)))
    else if (type === 'boolean' && value !== undefined) faults.push(`${rawName} takes no value: leave "=…" out`)
    else if (type === 'string' && !value) faults.push(`${rawName} has no value: give one, as in ${rawName}=…`)
    else given.set(name, value ?? '')
  }
  if (words.length < wordsMin) faults.push(`the key is missing: latchkey ${usage}`)
  if (words.length > wordsMax) faults.push(`${JSON.stringify(words[wordsMax])} is not expected: latchkey ${usage}`)
  if (words.length > 0 && given.has('prefix')) {
    faults.push('keys and --prefix exclude each other: leave one of them out')
  }
  if (faults.length > 0) throw faultsError(faults, `Reading the arguments of ${command}`)
  const values = settings.flatMap((flag) => (given.has(flag) ? [[variableOf(flag), given.get(flag)!] as const] : []))
  return {
    words,
    json: given.has('json'),
    prefix: given.get('prefix'),
    fromStart: given.has('from-start'),
    client: { url: given.get('url'), envFile: given.get('env-file'), values: new Map(values) },
  }
}

function unknownFlag(command: string, rawName: string, known: readonly string[]): string {
  const near = nearName(rawName.replace(/^-+/, ''), known)
  const hint =
    near === undefined ? 'leave it out, or put "--" before a key that begins with "-"' : `did you mean --${near}?`
  return `${JSON.stringify(rawName)} is not a flag of ${command}: ${hint}`
}
