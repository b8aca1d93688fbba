/**
 * Where a partition goes on in the source after recovery: one decision, made from what the changelog and the group tell. The order of
 * trust: the source offsets in the changelog's headers, then the committed offset, then the start. Reading a little twice is harmless, skipping is not.
 */

import { type OffsetReset } from '../../store-protocol/client-config.ts'
import { type Completeness } from '../../topics/completeness.ts'

export interface ResumeInput {
  /** Records read from the changelog, tombstones included. */
  recordsRecovered: number
  /** Highest source offset found in a header; -1 where there was none. */
  highestSourceOffset: number
  /** Highest source offset that the changelog's other records come after (`aft`); -1 where there was none. */
  afterOffset: number
  /** The changelog's log start offset: above 0 its beginning was cut off (compaction leaves it at 0). */
  changelogStart: number
  /** Where it ends; -1 where that is not known. */
  changelogEnd: number
  /** What a store last stated of a complete changelog. */
  stated: Completeness
  /** Committed offset of the group; -1 where there is none. */
  committed: number
  sourceStart: number
  /** After the last record that can be read now. */
  sourceEnd: number
  /** The source's record at highestSourceOffset is not the one that was ingested. */
  sourceRecreated: boolean
  /** What topic ids and leader epochs tell of a source that was recreated or truncated since the last commit; undefined where they tell nothing. */
  sourceChange: string | undefined
  /** The same of the changelog. */
  changelogChange: string | undefined
  /** Changelog offset of the last tombstone that discarded a former source's records; -1 where there was none. */
  discardedAt: number
  /** What a user wants where there is no position, or where it is gone: auto.offset.reset. A rebuild always begins at the start. */
  reset: OffsetReset
  /** What the user asks for is to discard all and to read the source from its start. */
  isRebuildAsked: boolean
  /** Someone began to discard, and did not get to the source's end. */
  isRebuildUnfinished: boolean
  /** Values depend on those before them: the source cannot be read again over what it has led to. */
  dependsOnFormer: boolean
}

export interface Resume {
  position: number
  /** The store reads the source again from its start and answers lookups only when it has reached the end. */
  rebuild: boolean
  /** What was recovered has to go first: it belongs to another source, or is to be made anew. */
  discard: boolean
  /** Source records between where the store stood and the source's start: gone before they were read. */
  lost: number
  reason: string
  /** The rebuild began at an earlier start, which gave its cause, and was not finished. */
  isBegunBefore?: true
  /** The user wants no other position, and this one does not exist: why. */
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
    // Nothing was committed since: whoever began to discard and rebuild did not finish.
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
  // Whoever began at the source's end has committed before there was anything to write.
  const beganAtEnd = reset === 'latest' && stated.changelogEnd >= 0 && committed <= sourceEnd
  if (recordsRecovered === 0 && committed > sourceStart && beganAtEnd) return from(committed, 'at the committed offset')
  if (recordsRecovered === 0 && committed > sourceStart) {
    const reason = `the changelog is empty although offset ${committed} was committed: it was emptied or recreated`
    return { ...fromStart, rebuild: true, discard: committed > sourceEnd, reason }
  }
  // After a part was discarded and read again, what is left of the changelog's offsets says less than the commit that came after that.
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
    const gone = { position: next, rebuild: false, discard: false, lost: next - position, reason }
    return reset === 'error'
      ? { ...gone, refused: `the source begins at offset ${sourceStart}, and ${position} is next` }
      : gone
  }
}
