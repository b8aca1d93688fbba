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

export function completenessMetadata({ changelogStart, changelogEnd }: Completeness): string {
  return `latchkey/1 changelog-start=${changelogStart} changelog-end=${changelogEnd}`
}

/** In the place of that while all that the changelog has is discarded, to be read again: until then nothing is complete. */
export const rebuildingMetadata = 'latchkey/1 rebuilding'

/** Of a commit's metadata, with a fingerprint or without; whatever else stands there states nothing. */
export function completenessOf(metadata: string): Completeness {
  const found = /^latchkey\/1 changelog-start=(\d{1,16}) changelog-end=(\d{1,16})(?: definition=[0-9a-f]{8})?$/.exec(
    metadata,
  )
  if (found === null) return { changelogStart: -1, changelogEnd: -1 }
  return { changelogStart: Number(found[1]), changelogEnd: Number(found[2]) }
}
