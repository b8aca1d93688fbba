/** Finds the store module. It is loaded later, when all settings are known to be valid. */
import { realpathSync } from 'node:fs'
import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { formatDefinitions } from './definitions/formats.ts'
import type { GivenFormats } from './formats.ts'
import { findPath, notFound } from './paths.ts'
import { quote } from './quote.ts'
import { flagOf, metadataOf, type SettingKey } from './settings.ts'

const extensions = new Set(['.ts', '.js', '.mts', '.mjs'])

/**
 * @param given texts by setting; may include other settings
 * @param directories where the file is looked up, first match wins
 * @returns the module's URL
 */
export function storeModuleOf(
  given: GivenFormats,
  directories: readonly string[],
  faults: string[],
): string | undefined {
  const setting = given.get('storeModule')
  if (setting === undefined) return undefined
  const where = `STORE_MODULE=${quote(setting.text)} (${setting.origin})`
  const formats = (Object.keys(formatDefinitions) as SettingKey[]).filter((key) => given.get(key) !== undefined)
  if (formats.length > 0) {
    const names = formats.map((key) => nameAsGiven(key, given.get(key)!.origin)).join(', ')
    faults.push(`${where}: the module says what keys and values are; leave out ${names}`)
  }
  if (!extensions.has(extname(setting.text))) {
    faults.push(`${where}: it must be a .ts or .js file`)
    return undefined
  }
  const path = findPath(setting.text, 'file', directories)
  if (path === undefined) {
    faults.push(`${where}: ${notFound(setting.text, 'file', directories)}`)
    return undefined
  }
  // Resolves links, as stack traces do. A mounted ConfigMap consists of links.
  return pathToFileURL(realpathSync(path)).href
}

function nameAsGiven(key: SettingKey, origin: string): string {
  const { variable } = metadataOf(key)
  return origin === 'flag' ? `--${flagOf(variable)}` : variable
}
