/**
 * Decides whether a snapshot may be used, as one pure function of what it states and what Kafka says now. A snapshot is
 * what the changelog says up to an offset. So the changelog must be the same log, still have everything after that
 * offset, and still have each tombstone that was appended since.
 */
import { ageOf, allowedAgeMs } from '../../store-protocol/snapshot-age.ts'
import type { Moment, SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'
import type { SnapshotRefusal } from '../../store-protocol/snapshot-refusal.ts'

export interface SnapshotCheckInput {
  readonly facts: SnapshotFacts
  readonly changelogTopic: string
  readonly clusterId: string | undefined
  readonly topicId: string | undefined
  /** Log start offset. */
  readonly changelogStart: number
  /** Offset of the fence marker; end of the log if there is none. */
  readonly changelogEnd: number
  /** Where the noted leader epoch ends; undefined if the leader does not know that epoch. */
  readonly epochEnd: number | undefined
  readonly now: Moment
  readonly deleteRetentionMs: number
  readonly keepHeaders: readonly string[]
  /** Why the content is deleted and made again; undefined if it is not. */
  readonly rebuild: 'asked' | 'unfinished' | undefined
}

export interface RefusedSnapshot {
  readonly reason: SnapshotRefusal
  /** What was found, as the end of a sentence. */
  readonly found: string
}

/** Returns why the snapshot may not be used; undefined if it may. */
export function refusalOf(input: SnapshotCheckInput): RefusedSnapshot | undefined {
  const { facts, changelogTopic, changelogStart, changelogEnd } = input
  const { position, leaderEpoch } = facts
  if (input.rebuild === 'asked') return refused('rebuild', '--rebuild deletes what it has')
  if (input.rebuild === 'unfinished') return refused('rebuild', 'a rebuild that began earlier was not finished')
  if (input.clusterId !== facts.clusterId) {
    return refused('other-cluster', `it is of cluster ${facts.clusterId}, this is cluster ${input.clusterId}`)
  }
  if (changelogTopic !== facts.changelogTopic) {
    return refused('recreated', `it is of topic ${facts.changelogTopic}`)
  }
  if (input.topicId !== facts.topicId) {
    return refused(
      'recreated',
      `the changelog was recreated: its topic id is ${input.topicId}, it had been ${facts.topicId}`,
    )
  }
  if (changelogStart !== facts.changelogStart || changelogStart > position) {
    const found = `the changelog starts at offset ${changelogStart}, it had started at ${facts.changelogStart}`
    return refused('records-deleted', `records were deleted from its beginning: ${found}`)
  }
  if (position > changelogEnd) {
    return refused(
      'truncated',
      `the changelog was truncated: it ends at offset ${changelogEnd}, the snapshot at ${position}`,
    )
  }
  if (input.epochEnd === undefined || input.epochEnd < position) {
    const end = input.epochEnd === undefined ? 'is not known to its leader' : `ends at offset ${input.epochEnd}`
    const found = `leader epoch ${leaderEpoch} ${end}, and the snapshot reaches ${position}`
    return refused('records-lost', `the changelog lost acknowledged records, and others took their offsets: ${found}`)
  }
  return ageRefusal(input) ?? headersRefusal(input)
}

function ageRefusal({ facts, now, deleteRetentionMs }: SnapshotCheckInput): RefusedSnapshot | undefined {
  const { ms, isProved, isBackwards } = ageOf(facts.takenAt, now)
  if (isBackwards) return refused('clock', 'a clock went backwards since it was made, so its age is not known')
  const retentionMs = Math.min(deleteRetentionMs, facts.deleteRetentionMs)
  const allowed = allowedAgeMs(retentionMs, isProved)
  if (ms < allowed) return undefined
  const bound = `${seconds(allowed)} s are allowed with delete.retention.ms=${retentionMs}`
  return refused('too-old', `it is ${seconds(ms)} s old, and ${bound}: keys that were deleted since could return`)
}

function headersRefusal({ facts, keepHeaders }: SnapshotCheckInput): RefusedSnapshot | undefined {
  const before = facts.keepHeaders.toSorted().join(',')
  const now = keepHeaders.toSorted().join(',')
  if (before === now) return undefined
  return refused('other-headers', `it was made with KEEP_HEADERS=${before}, this start has ${now || 'none'}`)
}

function refused(reason: SnapshotRefusal, found: string): RefusedSnapshot {
  return { reason, found }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000)
}
