/** Every setting with the value that is in effect, and where that comes from: for --print-settings and the page. */
import type { SettingText } from './secrets.ts'
import { metadataOf, type SettingKey, settingKeys } from './settings.ts'

export interface EffectiveSetting {
  /** As in the environment. */
  readonly name: string
  /** Null if there is none, and of a secret, which is never shown. */
  readonly value: string | null
  readonly isSecret: boolean
  /** Whether it is given; else its default applies. */
  readonly isGiven: boolean
  /** `flag`, `environment`, the path of a file, `default`, or of a setting without a value `default: <what applies>`. */
  readonly origin: string
}

/**
 * @param given texts of the settings that are given
 * @param parsed values of all settings; undefined where there is none
 */
export function effectiveSettings(
  given: ReadonlyMap<SettingKey, SettingText | undefined>,
  parsed: Readonly<Partial<Record<SettingKey, unknown>>>,
  keys: readonly SettingKey[] = settingKeys,
): EffectiveSetting[] {
  return keys.map((key) => {
    const { variable: name, isSecret = false, default: defaultText } = metadataOf(key)
    const found = given.get(key)
    if (found) return { name, value: isSecret ? null : found.text, isSecret, isGiven: true, origin: found.origin }
    const value = textOf(parsed[key]) || null
    const origin = value === null ? `default: ${defaultText ?? 'none'}` : 'default'
    return { name, value, isSecret, isGiven: false, origin }
  })
}

/** Returns lines of an env file; what is not in effect is a comment. */
export function linesOfSettings(settings: readonly EffectiveSetting[]): string[] {
  const rows = settings.map(({ name, value, isSecret, isGiven, origin }) => {
    if (value !== null) return [`${name}=${envText(value)}`, origin] as const
    return [isSecret && isGiven ? `# ${name}=(set)` : `# ${name}=`, origin] as const
  })
  const width = Math.min(columnMax, Math.max(...rows.map(([setting]) => setting.length)))
  return rows.map(([setting, origin]) => `${setting.padEnd(width)}  # ${origin}`)
}

const columnMax = 48

/** Undefined if the setting has no value, or one that only a text can give. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.every((part) => typeof part !== 'object') ? value.join(',') : undefined
  return value === undefined || typeof value === 'object' ? undefined : String(value)
}

/** Quotes what an env file would read otherwise. Control characters are escaped, for the terminal. */
function envText(text: string): string {
  return /^[\w.,:/@+*-]*$/.test(text) ? text : JSON.stringify(text)
}
