import { expect, test } from 'bun:test'
import { resumeAt, type ResumeInput } from '../../../lib/store-thread/recovery/resume-decision.ts'

/** A partition that was never read. */
const fresh: ResumeInput = {
  recordsRecovered: 0,
  highestSourceOffset: -1,
  afterOffset: -1,
  changelogStart: 0,
  changelogEnd: 1,
  stated: { changelogStart: -1, changelogEnd: -1 },
  committed: -1,
  sourceStart: 10,
  sourceEnd: 90,
  sourceRecreated: false,
  sourceChange: undefined,
  changelogChange: undefined,
  discardedAt: -1,
  reset: 'earliest',
  isRebuildAsked: false,
  isRebuildUnfinished: false,
  dependsOnFormer: false,
}
/** A partition whose next records were removed. */
const behind = { ...fresh, recordsRecovered: 5, highestSourceOffset: 3, committed: 4 }

test('a partition without a position begins where auto.offset.reset says', () => {
  expect(resumeAt(fresh)).toMatchObject({ position: 10, lost: 0, rebuild: false })
  expect(resumeAt({ ...fresh, reset: 'latest' })).toMatchObject({ position: 90, lost: 0, rebuild: false })
  expect(resumeAt({ ...fresh, reset: 'error' }).refused).toContain('neither the changelog nor the group')
})

test('a partition whose position was removed continues where auto.offset.reset says, and reports what is lost', () => {
  expect(resumeAt(behind)).toMatchObject({ position: 10, lost: 6 })
  expect(resumeAt({ ...behind, reset: 'latest' })).toMatchObject({ position: 90, lost: 86 })
  expect(resumeAt({ ...behind, reset: 'error' }).refused).toBe('the source begins at offset 10, and 4 is next')
})

test('auto.offset.reset changes nothing when there is a position', () => {
  const input = { ...fresh, recordsRecovered: 5, highestSourceOffset: 50, committed: 40 }
  for (const reset of ['earliest', 'latest', 'error'] as const) {
    expect(resumeAt({ ...input, reset })).toMatchObject({ position: 51, lost: 0 })
    expect(resumeAt({ ...input, reset }).refused).toBeUndefined()
  }
})

test('a store that began at the end continues at its commit when nothing was written since', () => {
  const stated = { changelogStart: 0, changelogEnd: 1 }
  const input = { ...fresh, changelogEnd: 2, stated, committed: 60, reset: 'latest' as const }
  expect(resumeAt(input)).toMatchObject({ position: 60, rebuild: false })
  // Without the user having asked for less, an empty changelog is one that lost something.
  expect(resumeAt({ ...input, reset: 'earliest' })).toMatchObject({ position: 10, rebuild: true })
})

test('a rebuild begins at the start of the source with any auto.offset.reset', () => {
  const truncated = { ...fresh, recordsRecovered: 5, highestSourceOffset: 50, committed: 51, changelogStart: 7 }
  for (const reset of ['earliest', 'latest', 'error'] as const) {
    expect(resumeAt({ ...truncated, reset })).toMatchObject({ position: 10, rebuild: true })
  }
})
