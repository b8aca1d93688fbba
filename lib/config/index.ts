/**
 * Settings: flags override environment variables, which override `.env`. One schema parses them once.
 * The result is frozen and passed on in slices. No other code reads the environment. All errors are reported together.
 */
import * as v from 'valibot'
import { clientsOf } from './client-properties.ts'
import {
  type ClientCommand,
  isClientCommand,
  isHelpFlag,
  printCommand,
  type PrintedDocument,
  printedDocumentOf,
} from './commands.ts'
import { type EffectiveSetting, effectiveSettings, linesOfSettings } from './effective-settings.ts'
import { faultsError, faultText } from './faults.ts'
import { readFlags } from './flags.ts'
import { formatsOf } from './formats.ts'
import { groupSettingsOf } from './group-settings.ts'
import { reportedOf } from './missing-setting.ts'
import { type SettingTexts, textsOf } from './reload.ts'
import { flagNotice, type SettingText, tokenPlaceOf } from './secrets.ts'
import { serverTlsOf } from './server-tls.ts'
import { nearVariables } from './setting-names.ts'
import {
  flagOf,
  metadataOf,
  type SettingKey,
  settingKeys,
  type Settings,
  settingsOf,
  settingsSchema,
} from './settings.ts'
import { type ConfigInput, sourcesOf, textOf } from './sources.ts'
import { storeModuleOf } from './store-module.ts'
import { switchWords } from './values.ts'

export { parseBroker } from './broker-list.ts'
export { type ClientFlags, type ClientSettings, readClientSettings } from './client-settings.ts'
export { type ClientCommand, commands, helpHint, isHelpFlag, type PrintedDocument } from './commands.ts'
export type { EffectiveSetting } from './effective-settings.ts'
export { faultsError } from './faults.ts'
export type { GroupSettings } from './definitions/group.ts'
export { helpText } from './help.ts'
export { readAgain, type ReloadedSettings, type SettingTexts } from './reload.ts'
export { variableOf } from './setting-names.ts'
export type { ConfigInput } from './sources.ts'
export type { Settings } from './settings.ts'

export type Command =
  /** @member topic argument of --help; absent for the first page */
  | { action: 'help'; topic?: string }
  | { action: 'version' | 'licenses' }
  /** @member document that `print` names */
  | { action: 'print'; document: PrintedDocument }
  /** @member lines of the settings in effect */
  | { action: 'print-settings'; lines: readonly string[] }
  /** @member name of a command that asks a running store; it reads its own flags and settings */
  | { action: 'ask'; name: ClientCommand }
  | {
      action: 'run' | 'check'
      settings: Settings
      /** All settings as --print-settings prints them, without secrets. */
      effective: readonly EffectiveSetting[]
      /** Warnings to log once the log is configured. */
      notices: readonly string[]
      /** As they are given, to find out later what has changed. */
      texts: SettingTexts
    }

/**
 * Returns the action that the command line asks for.
 * @throws LatchkeyError invalid_settings: one message with all errors, each with setting, value and what is allowed.
 *   `details.faults` lists them.
 */
export function readCommand({ argv, environment, envDirectories }: ConfigInput): Command {
  const [word = ''] = argv
  if (isClientCommand(word)) return { action: 'ask', name: word }
  if (word === printCommand && argv.some(isHelpFlag)) return { action: 'help', topic: 'commands' }
  if (word === printCommand) return { action: 'print', document: printedDocumentOf(argv.slice(1)) }
  const flags = readFlags(argv)
  const { faults, valueless } = flags
  // A user who asks for help may not have the other settings right yet.
  if (flags.help && flags.helpTopic !== undefined) return { action: 'help', topic: flags.helpTopic }
  if (flags.help) {
    const helpFaults = faults.filter((fault) => fault.startsWith('--help '))
    if (helpFaults.length > 0) throw faultsError(helpFaults)
    return { action: 'help' }
  }
  if (flags.version) return { action: 'version' }
  if (flags.licenses) return { action: 'licenses' }
  const sources = sourcesOf(flags, environment, envDirectories)
  const given = new Map(settingKeys.map((key) => [key, textOf(key, sources, faults)]))
  const texts = Object.fromEntries([...given].map(([key, found]) => [key, found?.text]))
  const near = nearVariables(Object.keys(environment))
  const parsed = v.safeParse(settingsSchema, texts)
  const faultyKeys = new Set<SettingKey>()
  const inOrder = (parsed.issues ?? []).toSorted(
    (a, b) => settingKeys.indexOf(keyOf(a)) - settingKeys.indexOf(keyOf(b)),
  )
  for (const issue of inOrder) {
    const key = keyOf(issue)
    // A text that breaks two rules is one error.
    if (faultyKeys.has(key)) continue
    faultyKeys.add(key)
    if (!given.get(key) && valueless.has(metadataOf(key).variable)) continue
    const isOwnMessage = issue.type === 'raw_transform' || issue.type === 'partial_check'
    const slip = near.find((one) => one.near === metadataOf(key).variable)
    if (!given.get(key) && slip) faults.push(`${slip.near} is missing: ${nearNotice(slip)}`)
    else faults.push(faultText(key, given.get(key), isOwnMessage ? issue.message : undefined))
  }
  const clients = clientsOf(given, parsed.success ? parsed.output : undefined)
  const group = groupSettingsOf(parsed.success ? parsed.output : undefined, given, clients.clients)
  faults.push(...clients.faults, ...group.faults)
  const tls = serverTlsOf(texts, faults)
  const formats = formatsOf(given, envDirectories, parsed.success ? parsed.output : undefined)
  faults.push(...formats.faults)
  const module = storeModuleOf(given, envDirectories, faults)
  if (flags.rebuild && parsed.success) faults.push(...rebuildFaults(parsed.output))
  if (!parsed.success || faults.length > 0) throw faultsError(reportedOf(flags))
  const effective = effectiveSettings(given, parsed.output)
  if (flags['print-settings']) return { action: 'print-settings', lines: linesOfSettings(effective) }
  const notices = near.map(nearNotice)
  notices.push(...clients.notices, ...group.notices, ...formats.notices, ...secretFlagNotices(given))
  const kept = settingsOf(parsed.output, clients.clients, {
    elastic: group.group && {},
    group: group.group,
    serverTls: tls,
    serverTokenPlace: tokenPlaceOf(given.get('serverToken')),
    formats: formats.formats,
    module,
  })
  const settings: Settings = flags.rebuild ? Object.freeze({ ...kept, rebuild: true }) : kept
  return { action: flags.check ? 'check' : 'run', settings, effective, notices, texts: textsOf(sources) }
}

function nearNotice({ name, near }: { name: string; near: string }): string {
  return `${name} in the environment is not a setting: did you mean ${near}?`
}

/** Whether output is JSON. Also works if other settings have errors. */
export function isStructured({ argv, environment, envDirectories }: ConfigInput): boolean {
  const flags = readFlags(argv)
  const sources = sourcesOf(flags, environment, envDirectories)
  return switchWords.get(textOf('structuredLogging', sources, [])?.text.toLowerCase() ?? '') ?? false
}

/** A rebuild deletes keys from the changelog: it has to write, and it has to know the keys. */
function rebuildFaults({
  useReplicaOnly,
  useProcessingOnly,
}: Pick<Settings, 'useReplicaOnly' | 'useProcessingOnly'>): string[] {
  const faults: string[] = []
  if (useReplicaOnly) {
    faults.push('--rebuild: with USE_REPLICA_ONLY=true nothing is written; give it to the instance that does')
  }
  if (useProcessingOnly) {
    faults.push('--rebuild: with USE_PROCESSING_ONLY=true no keys are known to delete; start once without that')
  }
  return faults
}

function keyOf(issue: { path?: { key: unknown }[] | undefined }): SettingKey {
  return issue.path?.[0]?.key as SettingKey
}

function secretFlagNotices(given: ReadonlyMap<SettingKey, SettingText | undefined>): string[] {
  const keys = settingKeys.filter((key) => metadataOf(key).isSecret && given.get(key)?.origin === 'flag')
  return keys.map((key) => flagNotice(flagOf(metadataOf(key).variable), metadataOf(key).variable))
}
