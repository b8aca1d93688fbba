/** Tells formats and store modules apart, from one start to the next: what they made stays in the store when they change. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type StoreConfig } from '../store-protocol/store-config.ts'
import { completenessOf, fieldIn } from './completeness.ts'

const digits = 8

/** Of what values are made with: the module's text, else the formats; undefined where they are not looked at. */
export function fingerprintOf({ formats, module }: Pick<StoreConfig, 'formats' | 'module'>): string | undefined {
  if (module !== undefined) return hashOf(textOf(module))
  if (formats === undefined) return undefined
  return hashOf(JSON.stringify(formats, (name, value: unknown) => (name === 'credentials' ? undefined : value)))
}

/** Behind what else a commit's metadata says. */
export function withFingerprint(metadata: string, fingerprint: string | undefined): string {
  return fingerprint === undefined ? metadata : `${metadata} definition=${fingerprint}`
}

export function fingerprintIn(metadata: string): string | undefined {
  return fieldIn(metadata, 'definition', /^[0-9a-f]{8}$/)
}

/** Whether what is stored was made with other formats, or by another module. @param metadata of the commit of a partition whose values stay */
export function isOfAnother(metadata: string, fingerprint: string | undefined): boolean {
  return completenessOf(metadata).changelogStart >= 0 && fingerprintIn(metadata) !== fingerprint
}

/** What to say of that, behind the changelog's name. */
export const changedText =
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
