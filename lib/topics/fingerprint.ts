/**
 * Fingerprint of formats and store module. Detects that they have changed since an earlier start, whose values stay in
 * the store.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { completenessOf, fieldIn } from './completeness.ts'

const digits = 8

/** Hashes what values are made with: the module's text, else the formats. Undefined for raw bytes without a module. */
export function fingerprintOf({ formats, module }: Pick<StoreConfig, 'formats' | 'module'>): string | undefined {
  if (module !== undefined) return hashOf(textOf(module))
  if (formats === undefined) return undefined
  return hashOf(JSON.stringify(formats, (name, value: unknown) => (name === 'credentials' ? undefined : value)))
}

/** Appends the fingerprint to a commit's metadata. */
export function withFingerprint(metadata: string, fingerprint: string | undefined): string {
  return fingerprint === undefined ? metadata : `${metadata} definition=${fingerprint}`
}

export function fingerprintIn(metadata: string): string | undefined {
  return fieldIn(metadata, 'definition', /^[0-9a-f]{8}$/)
}

/**
 * Whether the stored values were made with other formats, or by another module.
 * @param metadata of a partition's commit whose values stay
 */
export function hasOtherFingerprint(metadata: string, fingerprint: string | undefined): boolean {
  return completenessOf(metadata).changelogStart >= 0 && fingerprintIn(metadata) !== fingerprint
}

/** The warning about this, after the changelog's name. */
export const otherFormatsWarning =
  'its values were stored with other formats, or by another store module, and stay as they are until their keys come again; --rebuild stores all of them again'

function textOf(moduleUrl: string): string {
  try {
    return readFileSync(fileURLToPath(moduleUrl), 'utf8')
  } catch {
    return moduleUrl
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}
