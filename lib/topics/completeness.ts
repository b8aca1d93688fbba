/**
 * Metadata of every commit, in addition to the offset: start and end of the changelog when the store was complete. If a
 * later start finds another start of the changelog, or an earlier end, records are missing: the changelog was
 * truncated, or deleted and recreated.
 */
import type { StatedSize } from '../store-protocol/memory-budget.ts'

export interface Completeness {
  /** Log start offset; -1 if none was stated. */
  changelogStart: number
  /** Offset after our last acknowledged record; -1 if none was stated. */
  changelogEnd: number
}

/** Beginning of every metadata text, before its fields. */
const version = 'latchkey/1'
const field = /^[a-z-]+=[^ ]+$/

/**
 * The metadata that was parsed last. A start and each commit read ten fields of the metadata of every partition, those
 * of one partition after each other.
 */
let parsed: { metadata: string; fields: ReadonlyMap<string, string> | undefined } = { metadata: '', fields: undefined }

function fieldsOf(metadata: string): ReadonlyMap<string, string> | undefined {
  if (parsed.metadata !== metadata) parsed = { metadata, fields: parse(metadata) }
  return parsed.fields
}

function parse(metadata: string): ReadonlyMap<string, string> | undefined {
  const [first, ...words] = metadata.split(' ')
  if (first !== version || !words.every((word) => field.test(word))) return undefined
  const fields = new Map<string, string>()
  for (const word of words) {
    const at = word.indexOf('=')
    const name = word.slice(0, at)
    // The first field of a name counts.
    if (!fields.has(name)) fields.set(name, word.slice(at + 1))
  }
  return fields
}

/**
 * Returns a field of a commit's metadata; undefined if it is absent or malformed. Unknown fields are ignored: a later
 * version may have written them. A word that is not a field means something other than completeness, so then no field
 * counts.
 */
export function fieldIn(metadata: string, name: string, form: RegExp): string | undefined {
  const value = fieldsOf(metadata)?.get(name)
  return value !== undefined && form.test(value) ? value : undefined
}

/** @param held what the partition holds, for which the next start needs room; undefined if it is not known */
export function completenessMetadata({ changelogStart, changelogEnd }: Completeness, held?: StatedSize): string {
  const stated = `${version} changelog-start=${changelogStart} changelog-end=${changelogEnd}`
  return held === undefined ? stated : `${stated} entries=${held.entries} bytes=${held.bytes}`
}

/** Returns zeros for what a commit's metadata does not have. */
export function heldIn(metadata: string): StatedSize {
  return {
    entries: Number(fieldIn(metadata, 'entries', /^\d{1,10}$/) ?? 0),
    bytes: Number(fieldIn(metadata, 'bytes', /^\d{1,15}$/) ?? 0),
  }
}

/**
 * Replaces completeness while the content of the changelog is discarded, to be read again: until then nothing is
 * complete.
 */
export const rebuildingMetadata = `${version} rebuilding`

const offset = /^\d{1,16}$/

/**
 * Reads completeness from a commit's metadata, independent of its other fields. Metadata of another form states
 * nothing.
 */
export function completenessOf(metadata: string): Completeness {
  const changelogStart = fieldIn(metadata, 'changelog-start', offset)
  const changelogEnd = fieldIn(metadata, 'changelog-end', offset)
  if (changelogStart === undefined || changelogEnd === undefined) return { changelogStart: -1, changelogEnd: -1 }
  return { changelogStart: Number(changelogStart), changelogEnd: Number(changelogEnd) }
}
