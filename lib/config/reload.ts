/** The settings that a running store reads again: token, certificate and log level, from the sources of its start. */
import type { LogLevel } from '../log/index.ts'
import { type EffectiveSetting, effectiveSettings } from './effective-settings.ts'
import { faultsError } from './faults.ts'
import { readFlags } from './flags.ts'
import { reportedOf } from './missing-setting.ts'
import { fileVariable } from './secrets.ts'
import { serverTlsOf } from './server-tls.ts'
import { variables } from './setting-names.ts'
import { metadataOf } from './settings.ts'
import { readSome } from './some-settings.ts'
import { type ConfigInput, type Source, sourcesOf } from './sources.ts'
import { readTextAgain } from './text-file.ts'
import type { TlsPair } from './tls-pair.ts'

/** What a reload may change. */
export interface ReloadedSettings {
  readonly token: string | undefined
  readonly tls: TlsPair | undefined
  readonly logLevel: LogLevel
}

/** What is in force, and what stays so until the process ends. */
export interface Unchanged extends Pick<ReloadedSettings, 'token' | 'tls'> {
  readonly corsOrigins: readonly string[] | undefined
}

export interface ReadAgain {
  readonly settings: ReloadedSettings
  /** The same as texts, with where each comes from. */
  readonly effective: readonly EffectiveSetting[]
  /** Variables of other settings whose texts differ from those of the start. */
  readonly others: readonly string[]
}

/** Text of each variable that is given. */
export type SettingTexts = ReadonlyMap<string, string>

const keys = ['serverToken', 'serverTlsCert', 'serverTlsKey', 'logLevel'] as const
const tokenVariable = metadataOf('serverToken').variable
const certVariable = metadataOf('serverTlsCert').variable
const tlsVariables = new Set([certVariable, metadataOf('serverTlsKey').variable])
const reread: ReadonlySet<string> = new Set([
  ...keys.map((key) => metadataOf(key).variable),
  fileVariable(tokenVariable),
])

export function textsOf(sources: readonly Source[]): SettingTexts {
  const texts = new Map<string, string>()
  for (const { values } of sources) {
    for (const name of variables) {
      const text = values.get(name)?.trim()
      if (text && !texts.has(name)) texts.set(name, text)
    }
  }
  return texts
}

/**
 * Reads these settings again, and no others: a fault elsewhere does not keep a certificate from being renewed.
 * @param started texts of the start
 * @throws LatchkeyError invalid_settings, with all errors
 */
export function readAgain(
  { argv, environment, envDirectories }: ConfigInput,
  started: SettingTexts,
  unchanged: Unchanged,
): ReadAgain {
  const flags = readFlags(argv)
  const { faults } = flags
  const sources = sourcesOf(flags, environment, envDirectories, readTextAgain)
  const { given, texts, values } = readSome(keys, sources, faults, readTextAgain)
  const tls = serverTlsOf(texts, faults, readTextAgain)
  if (values) faults.push(...changeFaults(unchanged, values, faults.length > 0))
  if (!values || faults.length > 0) throw faultsError(reportedOf(flags), 'Reading the settings again')
  const { serverToken, logLevel } = values
  const now = textsOf(sources)
  const isApplied = (name: string) => reread.has(name) && (unchanged.tls !== undefined || !tlsVariables.has(name))
  const others = variables.filter((name) => started.get(name) !== now.get(name) && !isApplied(name))
  // Without HTTPS, a certificate has no listener.
  const settings = { token: serverToken, tls: unchanged.tls && tls, logLevel }
  const effective = effectiveSettings(given, values, keys).filter(({ name }) => isApplied(name))
  return { settings, effective, others }
}

/** Returns what is wrong with the step from the former settings to valid new ones. */
function changeFaults(
  { token, tls, corsOrigins }: Unchanged,
  now: { readonly serverToken?: string | undefined; readonly serverTlsCert?: string | undefined },
  hasOthers: boolean,
): string[] {
  const faults: string[] = []
  // An env file that is being written may be short for a moment: this must not open the store.
  if (token !== undefined && now.serverToken === undefined && !hasOthers) {
    faults.push(`${tokenVariable} is not given any more: only a restart ends the check of tokens`)
  }
  if (now.serverToken !== undefined && corsOrigins?.includes('*') === true) {
    faults.push(`${tokenVariable}: it excludes CORS_ORIGINS="*", which stays until a restart`)
  }
  if (tls !== undefined && now.serverTlsCert === undefined && !hasOthers) {
    faults.push(`${certVariable} is not given any more: only a restart ends HTTPS`)
  }
  return faults
}
