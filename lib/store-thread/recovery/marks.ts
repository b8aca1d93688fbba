/**
 * The topic ids and leader epochs that a commit states in addition to its offset. A later start that finds another
 * topic, or a log that ends earlier in such an epoch, knows for certain that the topic was recreated or truncated, even
 * if it has grown again since. Empty with brokers before 2.8.
 */
import type { CommittedOffset } from '../../kafka/offsets.ts'
import { completenessOf, fieldIn } from '../../topics/completeness.ts'

export interface Marks {
  sourceId: string | undefined
  /** Leader epochs of the source below the committed offset, in the format of EpochTrail. */
  sourceEpochs: string | undefined
  changelogId: string | undefined
  /** A leader epoch of the changelog that was confirmed after its stated end was reached. */
  changelogEpoch: number | undefined
  /** When the changelog has lost records last, in ms since the epoch. */
  changelogFellAt?: number | undefined
}

/** Appends the marks to a commit's metadata. */
export function withMarks(metadata: string, marks: Marks): string {
  const { sourceId, sourceEpochs, changelogId, changelogEpoch, changelogFellAt } = marks
  const fields = Object.entries({
    'source-id': sourceId,
    'source-epochs': sourceEpochs || undefined,
    'changelog-id': changelogId,
    'changelog-epoch': changelogEpoch,
    'changelog-fell': changelogFellAt,
  })
  const known = fields.filter(([, value]) => value !== undefined)
  return [metadata, ...known.map(([name, value]) => `${name}=${value}`)].join(' ')
}

/**
 * Returns the same commit for the changelog topic. The cluster forgets the commits for a topic when the topic is
 * deleted; this copy makes a recreated source recognisable. Undefined if the metadata does not state the end of the
 * changelog.
 */
export function changelogCommitOf({ offset, metadata }: CommittedOffset): CommittedOffset | undefined {
  const { changelogEnd } = completenessOf(metadata)
  return changelogEnd < 0 ? undefined : { offset: changelogEnd, metadata: `${metadata} source-offset=${offset}` }
}

/** Returns the source's commit from a commit that changelogCommitOf() made; undefined for any other commit. */
export function sourceCommitOf({ metadata }: CommittedOffset): CommittedOffset | undefined {
  const offset = fieldIn(metadata, 'source-offset', /^\d{1,16}$/)
  return offset === undefined ? undefined : { offset: Number(offset), metadata }
}

const id = /^[\w-]{22}$/

export function marksIn(metadata: string): Marks {
  const changelogEpoch = fieldIn(metadata, 'changelog-epoch', /^\d{1,9}$/)
  const changelogFellAt = fieldIn(metadata, 'changelog-fell', /^\d{1,15}$/)
  return {
    sourceId: fieldIn(metadata, 'source-id', id),
    sourceEpochs: fieldIn(metadata, 'source-epochs', /^[\d@,]+$/),
    changelogId: fieldIn(metadata, 'changelog-id', id),
    changelogEpoch: changelogEpoch === undefined ? undefined : Number(changelogEpoch),
    ...(changelogFellAt !== undefined && { changelogFellAt: Number(changelogFellAt) }),
  }
}
