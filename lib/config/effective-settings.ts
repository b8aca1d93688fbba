/** Output of --print-settings: every setting with the value that is in effect, and where that comes from. */
import type { SettingText } from './secrets.ts'
import { metadataOf, type SettingKey, settingKeys } from './settings.ts'

/**
 * @param given texts of the settings that are given
 * @param parsed values of all settings; undefined where there is none
 * @returns lines of an env file; what is not in effect is a comment
 */
export function effectiveSettings(
  given: ReadonlyMap<SettingKey, SettingText | undefined>,
  parsed: Readonly<Partial<Record<SettingKey, unknown>>>,
): string[] {
  const rows = settingKeys.map((key) => {
    const { variable, isSecret, default: defaultText } = metadataOf(key)
    const found = given.get(key)
    if (found && isSecret) return [`# ${variable}=(set)`, found.origin] as const
    if (found) return [`${variable}=${envText(found.text)}`, found.origin] as const
    const text = textOf(parsed[key])
    if (!text) return [`# ${variable}=`, `default: ${defaultText ?? 'none'}`] as const
    return [`${variable}=${envText(text)}`, 'default'] as const
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
