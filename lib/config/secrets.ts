/**
 * Settings that hold a secret: SERVER_TOKEN may be given as it is, or SERVER_TOKEN_FILE may name a file that holds it, as container
 * orchestrators mount them. The text is shown nowhere: not by --check, nor in faults, notices, logs or metrics.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { withoutBom } from '../text/bom.ts'
import { whyUnreadable } from '../text/fs-error.ts'
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

/** Where the token stands that a shell does not know. */
export interface TokenPlace {
  /** Absolute path of the file that holds it alone, or of the env file; else the flag. */
  where: string
  /** The file holds the token alone. */
  isFile: boolean
}

/** Undefined where it comes from the environment, or where there is none. */
export function tokenPlaceOf(token: SettingText | undefined): TokenPlace | undefined {
  if (token === undefined) return undefined
  const { origin, isFile } = token
  if (isFile) return { where: resolve(origin), isFile }
  if (origin === 'environment') return undefined
  return { where: origin === 'flag' ? '--server-token' : resolve(origin), isFile }
}

/** What to say of a secret that everybody can read in the list of processes. */
export function flagNotice(flag: string, variable: string): string {
  return `--${flag} can be read by every user of this machine in the list of processes; use ${fileVariable(variable)}`
}
