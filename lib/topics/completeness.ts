/**
 * What goes with every commit beside the offset: where the changelog began and how far it reached when the store was complete. A later start that
 * finds it beginning elsewhere, or ending before, knows that something is missing: it was truncated, or deleted and recreated.
 */

export interface Completeness {
  /** Log start offset; -1 where nothing was stated. */
  changelogStart: number
  /** Offset after our last acknowledged record; -1 where nothing was stated. */
  changelogEnd: number
}

/** What every statement begins with, before its fields. */
const version = 'latchkey/1'
const field = /^[a-z-]+=[^ ]+$/

/**
 * A field of a commit's metadata; undefined where it is not there or not of that form. Fields of other names are passed over: a later version may
 * have written them. A word that is no field states something else than completeness, so that nothing counts as stated.
 */
export function fieldIn(metadata: string, name: string, form: RegExp): string | undefined {
  const [first, ...fields] = metadata.split(' ')
  if (first !== version || !fields.every((one) => field.test(one))) return undefined
  const value = fields.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1)
  return value !== undefined && form.test(value) ? value : undefined
}

/** @param entries how many keys had a value, so that the next start has room for them; undefined where nobody knows */
export function completenessMetadata({ changelogStart, changelogEnd }: Completeness, entries?: number): string {
  const stated = `${version} changelog-start=${changelogStart} changelog-end=${changelogEnd}`
  return entries === undefined ? stated : `${stated} entries=${entries}`
}

/** 0 where a commit's metadata does not tell. */
export function entriesIn(metadata: string): number {
  return Number(fieldIn(metadata, 'entries', /^\d{1,10}$/) ?? 0)
}

/** In the place of that while all that the changelog has is discarded, to be read again: until then nothing is complete. */
export const rebuildingMetadata = `${version} rebuilding`

const offset = /^\d{1,16}$/

/** Of a commit's metadata, whatever other fields it has; anything but a statement states nothing. */
export function completenessOf(metadata: string): Completeness {
  const changelogStart = fieldIn(metadata, 'changelog-start', offset)
  const changelogEnd = fieldIn(metadata, 'changelog-end', offset)
  if (changelogStart === undefined || changelogEnd === undefined) return { changelogStart: -1, changelogEnd: -1 }
  return { changelogStart: Number(changelogStart), changelogEnd: Number(changelogEnd) }
}
