/**
 * Text of --help, made of the settings' metadata: a first page that fits a screen, and all settings of an area in full.
 */
import {
  checkCommand,
  commandExitCodes,
  commandFlags,
  commandNames,
  commands,
  printCommand,
  printedDocuments,
} from './commands.ts'
import { fileVariable } from './secrets.ts'
import {
  flagOf,
  metadataOf,
  type SettingArea,
  settingAreas,
  type SettingKey,
  settingKeys,
  settingKeysOf,
} from './settings.ts'
import { wrap } from './wrap.ts'

export interface HelpOptions {
  /** One of helpTopics; default: the first page. */
  topic?: string | undefined
  /** Width of the terminal. */
  columns?: number
  /** Whether headings may be bold. */
  color?: boolean
}

const columnsDefault = 80
const columnsMin = 40
const columnsMax = 120
/** Width of the left column of the first page. */
const nameWidth = 24

export const areaTitles: Readonly<Record<SettingArea, string>> = {
  kafka: 'Kafka: topics, clients, partitions',
  formats: 'Keys, values and records',
  http: 'HTTP, readiness and log',
  memory: 'Memory, flushes and threads',
  group: 'Several instances with the partitions of one store',
}

const commandsTopic = 'commands'

export const helpTopics: readonly string[] = ['all', ...settingAreas, commandsTopic]

/** Precedence of the places that can give a setting. */
export const precedence =
  'Flags (--store-id x) override environment variables (STORE_ID=x), which override .env, in the working directory or beside the executable.'

/** Flags that are not settings, and their meaning. */
export const options = [
  ['--env-file PATH', 'Read this file instead of .env'],
  ['--check', 'Check settings, topics and registry, start nothing'],
  ['--print-settings', 'Print all settings in effect and where each comes from'],
  ['--rebuild', 'Discard the changelog, read the source again, run on'],
  ['--licenses', 'Print the licences of all that is in the executable'],
  ['--help [TOPIC]', `Settings in full: ${helpTopics.join(', ')}`],
  ['--version, -v', 'Print the version'],
] as const

export const exitCodes = '0 ended by SIGTERM or SIGINT; 1 failed while running; 2 wrong settings'

export function helpText({ topic, columns = columnsDefault, color = false }: HelpOptions = {}): string {
  const page = new Page(Math.min(Math.max(columns, columnsMin), columnsMax), color)
  if (topic === undefined) addFirstPage(page)
  else if (topic === commandsTopic) addCommands(page)
  else for (const area of topic === 'all' ? settingAreas : [topic as SettingArea]) addArea(page, area)
  return page.text
}

function addFirstPage(page: Page): void {
  page.add('Latchkey: the latest value of every key of a Kafka topic, one HTTP call away.')
  page.addHeading('Usage')
  page.add('latchkey --source-topic orders --kafka-brokers localhost:9092', 2)
  page.add('curl http://localhost:8080/stores/orders/4711', 2)
  page.add(`latchkey ${commandNames.join('|')}: see --help ${commandsTopic}`, 2)
  page.addHeading('Settings that matter')
  page.add(precedence, 2)
  for (const { variable, brief, isSecret } of settingKeys.map(metadataOf)) {
    if (brief !== undefined) page.addPair(isSecret ? `${variable}[_FILE]` : variable, brief)
  }
  page.addHeading('Options')
  for (const [flag, meaning] of options) page.addPair(flag, meaning)
  page.addHeading('Exit codes')
  page.add(exitCodes, 2)
}

function addCommands(page: Page): void {
  page.addHeading('Commands that ask a running store')
  for (const { usage, meaning } of Object.values(commands)) {
    page.add(page.bold(`latchkey ${usage}`), 2)
    page.add(meaning, 6)
  }
  page.addHeading('Commands that need no store')
  page.add(page.bold(`latchkey ${printCommand} ${printedDocuments.join('|')}`), 2)
  page.add(
    'Prints alert rules and a dashboard for Prometheus and Grafana, what runs it elsewhere, and what is in it.',
    6,
  )
  page.add(page.bold(`latchkey ${checkCommand}`), 2)
  page.add('The same as --check.', 6)
  page.addHeading('Options of commands that ask a store')
  for (const [flag, meaning] of commandFlags) page.addPair(flag, meaning)
  page.add(
    'SERVER_BIND, SERVER_PORT, SERVER_TLS_CERT, SERVER_TOKEN and SERVER_TOKEN_FILE are those of the store. Beside its .env no option is needed.',
    2,
  )
  page.addHeading('Exit codes')
  page.add(commandExitCodes, 2)
}

function addArea(page: Page, area: SettingArea): void {
  page.addHeading(areaTitles[area])
  for (const key of settingKeysOf(area)) addSetting(page, key)
}

function addSetting(page: Page, key: SettingKey): void {
  const { variable, meaning, allowed, default: defaultText, isSwitch, isSecret } = metadataOf(key)
  const flag = isSwitch ? `--[no-]${flagOf(variable)}` : `--${flagOf(variable)} …`
  page.add(page.bold(`${flag}, ${variable}`), 2)
  page.add(meaning, 6)
  if (isSecret) page.add(`${fileVariable(variable)} names a file that holds it instead.`, 6)
  page.add(`Default: ${defaultText ?? 'none, it is required'}. Allowed: ${allowed}.`, 6)
}

class Page {
  readonly #columns: number
  readonly #color: boolean
  readonly #lines: string[] = []

  constructor(columns: number, color: boolean) {
    this.#columns = columns
    this.#color = color
  }

  get text(): string {
    return `${this.#lines.join('\n')}\n`
  }

  bold(text: string): string {
    return this.#color ? `\x1b[1m${text}\x1b[22m` : text
  }

  add(text: string, indent = 0): void {
    this.#lines.push(...wrap(text, this.#columns, indent))
  }

  addHeading(text: string): void {
    if (this.#lines.length > 0) this.#lines.push('')
    this.#lines.push(this.bold(text))
  }

  /** Adds a name and its meaning: on the same line, or below if the name is too long. */
  addPair(name: string, meaning: string): void {
    const [first = '', ...others] = wrap(meaning, this.#columns, nameWidth + 2)
    if (name.length < nameWidth) this.#lines.push(`  ${name.padEnd(nameWidth)}${first.trimStart()}`, ...others)
    else this.#lines.push(`  ${name}`, first, ...others)
  }
}
