/**
 * Settings that hold a secret. SERVER_TOKEN holds the token itself; SERVER_TOKEN_FILE names a file that holds it, as
 * container orchestrators mount secrets.
 * The text is never shown: not by --check, nor in errors, notices, logs or metrics.
 */
import { resolve } from 'node:path'
import { withoutBom } from '../text/bom.ts'
import { whyUnreadable } from '../text/fs-error.ts'
import { quote } from './quote.ts'
import { readText } from './text-file.ts'

const bytesMax = 65_536

export interface SettingText {
  text: string
  /** Where the text comes from, in parentheses after "SERVER_PORT=80a" in messages: `flag`, `environment` or a path. */
  origin: string
  /** The text is the content of a file that the setting names. */
  isFile: boolean
}

/** Name of the variable that names a file with the secret. */
export function fileVariable(variable: string): string {
  return `${variable}_FILE`
}

/**
 * Returns the secret, given directly or by a file. It is an error to give both, or a file that is empty or cannot be
 * read.
 * @param plain text of the setting itself
 * @param path text of the variable that names its file
 */
export function secretOf(
  variable: string,
  plain: SettingText | undefined,
  path: SettingText | undefined,
  faults: string[],
  read = readText,
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
    // Editors and echo end a file with a line break, which is not part of the secret.
    const text = withoutBom(read(path.text, bytesMax)).replace(/[\r\n]+$/, '')
    if (text.trim() === '') faults.push(`${where}: the file is empty`)
    else return { text, origin: path.text, isFile: true }
  } catch (error) {
    faults.push(`${where}: the file cannot be read: ${whyUnreadable(error)}`)
  }
  return undefined
}

/** Where the token is, if not in the environment. Messages show how a shell can read it from there. */
export interface TokenPlace {
  /** Absolute path of the token's own file or of the env file, or the flag. */
  where: string
  /** The file holds only the token. */
  isFile: boolean
}

/** Undefined if the token comes from the environment, or if there is none. */
export function tokenPlaceOf(token: SettingText | undefined): TokenPlace | undefined {
  if (token === undefined) return undefined
  const { origin, isFile } = token
  if (isFile) return { where: resolve(origin), isFile }
  if (origin === 'environment') return undefined
  return { where: origin === 'flag' ? '--server-token' : resolve(origin), isFile }
}

/** Returns the notice for a secret that every user can read in the list of processes. */
export function flagNotice(flag: string, variable: string): string {
  return `--${flag} can be read by every user of this machine in the list of processes; use ${fileVariable(variable)}`
}
