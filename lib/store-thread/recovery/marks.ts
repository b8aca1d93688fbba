/**
 * Which topics a commit speaks of, beside its offset, and how far their logs went in which leader epochs: a later start that finds another topic, or a log that
 * ends earlier in such an epoch, knows for certain that it was recreated or truncated, however long it has become since. Empty with brokers before 2.8.
 */
import { type CommittedOffset } from '../../kafka/offsets.ts'
import { completenessOf, fieldIn } from '../../topics/completeness.ts'

export interface Marks {
  sourceId: string | undefined
  /** Leader epochs of the source below the committed offset, as an EpochTrail writes them. */
  sourceEpochs: string | undefined
  changelogId: string | undefined
  /** An epoch that the changelog was in when its stated end had been reached. */
  changelogEpoch: number | undefined
}

/** To stand behind what else a commit's metadata says. */
export function withMarks(metadata: string, { sourceId, sourceEpochs, changelogId, changelogEpoch }: Marks): string {
  const fields = Object.entries({
    'source-id': sourceId,
    'source-epochs': sourceEpochs || undefined,
    'changelog-id': changelogId,
    'changelog-epoch': changelogEpoch,
  })
  const known = fields.filter(([, value]) => value !== undefined)
  return [metadata, ...known.map(([name, value]) => `${name}=${value}`)].join(' ')
}

/**
 * The same, to be committed for the changelog: the cluster forgets what was committed for a topic when that is deleted, and a source that was recreated is to be
 * recognised all the same. Undefined where the metadata states nothing of the changelog.
 */
export function besideChangelog({ offset, metadata }: CommittedOffset): CommittedOffset | undefined {
  const { changelogEnd } = completenessOf(metadata)
  return changelogEnd < 0 ? undefined : { offset: changelogEnd, metadata: `${metadata} source-offset=${offset}` }
}

/** What was committed of the source by what besideChangelog() gave; undefined where that is something else. */
export function ofSource({ metadata }: CommittedOffset): CommittedOffset | undefined {
  const offset = fieldIn(metadata, 'source-offset', /^\d{1,16}$/)
  return offset === undefined ? undefined : { offset: Number(offset), metadata }
}

const id = /^[\w-]{22}$/

export function marksIn(metadata: string): Marks {
  const changelogEpoch = fieldIn(metadata, 'changelog-epoch', /^\d{1,9}$/)
  return {
    sourceId: fieldIn(metadata, 'source-id', id),
    sourceEpochs: fieldIn(metadata, 'source-epochs', /^[\d@,]+$/),
    changelogId: fieldIn(metadata, 'changelog-id', id),
    changelogEpoch: changelogEpoch === undefined ? undefined : Number(changelogEpoch),
  }
}
