/**
 * Decides where a partition resumes in the source after recovery, as one pure function of what the changelog and the
 * group state. Trust, in this order: the source offsets in the changelog's headers, the committed offset, the start of
 * the source. Reading some records twice is harmless; skipping records is not.
 */

import type { OffsetReset } from '../../store-protocol/client-config.ts'
import type { Completeness } from '../../topics/completeness.ts'

export interface ResumeInput {
  /** Number of records read from the changelog, tombstones included. */
  recordsRecovered: number
  /** Highest source offset found in a `src` header; -1 if there is none. */
  highestSourceOffset: number
  /** Highest source offset found in an `aft` header; -1 if there is none. */
  afterOffset: number
  /** Log start offset of the changelog. Above 0, its beginning was removed; compaction leaves it at 0. */
  changelogStart: number
  /** End offset of the changelog; -1 if unknown. */
  changelogEnd: number
  /** The last statement of a store about its complete changelog. */
  stated: Completeness
  /** Committed offset of the group; -1 if there is none. */
  committed: number
  sourceStart: number
  /** Offset after the last record that is readable now. */
  sourceEnd: number
  /** Whether the source's record at highestSourceOffset differs from the one that was ingested. */
  sourceRecreated: boolean
  /**
   * How topic id or leader epochs show that the source was recreated or truncated since the last commit; undefined if
   * they do not.
   */
  sourceChange: string | undefined
  /** The same for the changelog. */
  changelogChange: string | undefined
  /**
   * Changelog offset of the last discard tombstone, which invalidates records of a former source; -1 if there is none.
   */
  discardedAt: number
  /**
   * auto.offset.reset: where to start without a position, or if the position no longer exists. A rebuild always begins
   * at the start.
   */
  reset: OffsetReset
  /** The user requests to discard everything and to read the source from its start. */
  isRebuildAsked: boolean
  /** An earlier start began to discard and did not reach the source's end. */
  isRebuildUnfinished: boolean
  /** Values depend on earlier values (callbacks), so the source must not be read again on top of existing values. */
  dependsOnFormer: boolean
}

export interface Resume {
  position: number
  /** The store reads the source again from its start and answers no lookups until it reaches the end. */
  rebuild: boolean
  /** The recovered records must be deleted first: they belong to another source, or are to be made again. */
  discard: boolean
  /**
   * Number of source records that were removed before they were read: those between the position and the source's
   * start.
   */
  lost: number
  reason: string
  /** The rebuild began at an earlier start, which logged its cause, and was not finished. */
  isBegunBefore?: true
  /** Why the store must not start: auto.offset.reset=error, and the position does not exist. */
  refused?: string
}

export function resumeAt(input: ResumeInput): Resume {
  const resume = decide(input)
  const discard = resume.discard || (resume.rebuild && input.dependsOnFormer && input.recordsRecovered > 0)
  return { ...resume, discard }
}

function decide(input: ResumeInput): Resume {
  const {
    recordsRecovered,
    highestSourceOffset,
    afterOffset,
    changelogStart,
    changelogEnd,
    stated,
    committed,
    sourceStart,
    sourceEnd,
    discardedAt,
    reset,
  } = input
  const fromStart = { position: sourceStart, lost: 0 }
  if (input.isRebuildAsked) return { ...fromStart, rebuild: true, discard: true, reason: '--rebuild asks for it' }
  if (input.isRebuildUnfinished) {
    const reason = 'a rebuild that began earlier was not finished'
    return { ...fromStart, rebuild: true, discard: true, isBegunBefore: true, reason }
  }
  const ingested = Math.max(highestSourceOffset, afterOffset)
  if (input.sourceChange !== undefined || input.sourceRecreated || ingested >= sourceEnd) {
    const found =
      input.sourceChange ??
      (input.sourceRecreated
        ? `its record at offset ${highestSourceOffset} is not the one that was ingested`
        : `it ends at offset ${sourceEnd}, ${ingested} had been ingested`)
    return {
      ...fromStart,
      rebuild: true,
      discard: true,
      reason: `the source topic was recreated or truncated: ${found}`,
    }
  }
  if (discardedAt >= 0 && discardedAt >= stated.changelogEnd) {
    // Nothing was committed since, so the store that began to discard and rebuild did not finish.
    const reason = 'the source topic was recreated or truncated, and the rebuild that began then was not finished'
    return { ...fromStart, rebuild: true, discard: highestSourceOffset < 0, isBegunBefore: true, reason }
  }
  if (input.changelogChange !== undefined) {
    const reason = `the changelog was truncated or recreated: ${input.changelogChange}`
    return { ...fromStart, rebuild: true, discard: false, reason }
  }
  if (changelogStart > 0 && stated.changelogStart !== changelogStart) {
    const reason = `the changelog was truncated: it starts at offset ${changelogStart}`
    return { ...fromStart, rebuild: true, discard: false, reason }
  }
  if (changelogEnd >= 0 && changelogEnd < stated.changelogEnd) {
    const reason = `the changelog was truncated or recreated: it ends at offset ${changelogEnd}, it had reached ${stated.changelogEnd}`
    return { ...fromStart, rebuild: true, discard: false, reason }
  }
  // A store that began at the source's end has committed before there was anything to write.
  const beganAtEnd = reset === 'latest' && stated.changelogEnd >= 0 && committed <= sourceEnd
  if (recordsRecovered === 0 && committed > sourceStart && beganAtEnd) return from(committed, 'at the committed offset')
  if (recordsRecovered === 0 && committed > sourceStart) {
    const reason = `the changelog is empty although offset ${committed} was committed: it was emptied or recreated`
    return { ...fromStart, rebuild: true, discard: committed > sourceEnd, reason }
  }
  // After a part was discarded and read again, the commit that followed is more reliable than the source offsets that
  // remain in the changelog.
  const isVouched = discardedAt >= 0 && stated.changelogEnd > discardedAt && committed > ingested + 1
  if (isVouched && committed <= sourceEnd) return from(committed, 'at the committed offset, which came after a discard')
  if (ingested >= 0) return from(ingested + 1, 'after the highest source offset in the changelog')
  if (recordsRecovered > 0 && committed >= 0) {
    if (committed > sourceEnd) {
      const reason = `the source topic was recreated or truncated: it ends at offset ${sourceEnd}, ${committed} had been committed`
      return { ...fromStart, rebuild: true, discard: true, reason }
    }
    return from(committed, 'at the committed offset: the changelog holds no source offsets')
  }
  const plain = { rebuild: false, discard: false, lost: 0 }
  if (reset === 'latest') return { ...plain, position: sourceEnd, reason: 'at the end of the source' }
  const start = { ...plain, position: sourceStart, reason: 'at the start of the source' }
  return reset === 'error' ? { ...start, refused: 'neither the changelog nor the group has a position' } : start

  function from(position: number, reason: string): Resume {
    if (position >= sourceStart) return { position, rebuild: false, discard: false, lost: 0, reason }
    const next = reset === 'latest' ? sourceEnd : sourceStart
    const skipped = { position: next, rebuild: false, discard: false, lost: next - position, reason }
    return reset === 'error'
      ? { ...skipped, refused: `the source begins at offset ${sourceStart}, and ${position} is next` }
      : skipped
  }
}
