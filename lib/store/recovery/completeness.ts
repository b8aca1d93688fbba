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

/** @param entries how many keys had a value, so that the next start has room for them; undefined where nobody knows */
export function completenessMetadata({ changelogStart, changelogEnd }: Completeness, entries?: number): string {
  const stated = `latchkey/1 changelog-start=${changelogStart} changelog-end=${changelogEnd}`
  return entries === undefined ? stated : `${stated} entries=${entries}`
}

/** 0 where a commit's metadata does not tell. */
export function entriesIn(metadata: string): number {
  return Number(/^latchkey\/1 .* entries=(\d{1,10})(?: |$)/.exec(metadata)?.[1] ?? 0)
}

/** In the place of that while all that the changelog has is discarded, to be read again: until then nothing is complete. */
export const rebuildingMetadata = 'latchkey/1 rebuilding'

const statement =
  /^latchkey\/1 changelog-start=(\d{1,16}) changelog-end=(\d{1,16})(?: entries=\d{1,10})?(?: definition=[0-9a-f]{8})?$/

/** Of a commit's metadata, with a number of entries and a fingerprint or without; whatever else stands there states nothing. */
export function completenessOf(metadata: string): Completeness {
  const found = statement.exec(metadata)
  if (found === null) return { changelogStart: -1, changelogEnd: -1 }
  return { changelogStart: Number(found[1]), changelogEnd: Number(found[2]) }
}
