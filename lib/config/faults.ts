/** Texts of errors in settings. */
import { LatchkeyError } from '../errors.ts'
import { missingFault } from './missing-setting.ts'
import { quote } from './quote.ts'
import type { SettingText } from './secrets.ts'
import { metadataOf, type SettingKey } from './settings.ts'

/** @param found what is wrong, if the setting's metadata is not specific enough */
export function faultText(key: SettingKey, given: SettingText | undefined, found?: string): string {
  const { variable, allowed, isSecret } = metadataOf(key)
  if (!given) return missingFault(key, found ?? 'set it')
  const shown = isSecret ? variable : `${variable}=${quote(given.text)}`
  return `${shown} (${given.origin}): ${found ?? `it must be ${allowed}`}`
}

/** @param attempted what the faults were found at */
export function faultsError(faults: readonly string[], attempted = 'Reading the settings'): LatchkeyError {
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`
  const message = [`${attempted}: ${count} found`, ...faults.map((fault) => `  ${fault}`)]
  return new LatchkeyError('invalid_settings', message.join('\n'), { details: { faults } })
}
