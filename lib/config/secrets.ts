/**
 * Settings that hold a secret: SERVER_TOKEN may be given as it is, or SERVER_TOKEN_FILE may name a file that holds it, as container
 * orchestrators mount them. The text is shown nowhere: not by --check, nor in faults, notices, logs or metrics.
 */
import { readFileSync } from 'node:fs'
import { withoutBom } from '../bom.ts'
import { whyUnreadable } from '../unreadable.ts'
import { quote } from './quote.ts'

const bytesMax = 65_536

export interface SettingText {
  text: string
  /** Completes "SERVER_PORT=80a" in messages. */
  origin: string
  /** It is what a file holds that the setting names. */
  isFile: boolean
}

/** Name of the variable that gives a file instead of the secret. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`
}

/**
 * The secret, whichever way it is given. Both ways, or a file that is unreadable or empty, are a fault.
 * @param plain text of the setting itself
 * @param path text of the variable that names its file
 */
export function secretOf(
  variable: string,
  plain: SettingText | undefined,
  path: SettingText | undefined,
  faults: string[],
): SettingText | undefined {
  if (!path) return plain
  if (plain) {
    faults.push(
      `${fileVariable(variable)} (${path.origin}): ${variable} (${plain.origin}) is given too; leave one of them out`,
    )
    return undefined
  }
  const where = `${fileVariable(variable)}=${quote(path.text)} (${path.origin})`
  try {
    // Editors and echo end a file with a line break that is no part of the secret.
    const text = withoutBom(readFileSync(path.text, 'utf8')).replace(/[\r\n]+$/, '')
    if (text.trim() === '') faults.push(`${where}: the file is empty`)
    else if (text.length > bytesMax) faults.push(`${where}: the file is longer than ${bytesMax} bytes`)
    else return { text, origin: path.text, isFile: true }
  } catch (error) {
    faults.push(`${where}: the file cannot be read: ${whyUnreadable(error)}`)
  }
  return undefined
}

/** What to say of a secret that everybody can read in the list of processes. */
export function flagNotice(flag: string, variable: string): string {
  return `--${flag} can be read by every user of this machine in the list of processes; use ${fileVariable(variable)}`
}
