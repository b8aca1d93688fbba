import { expect, test } from 'bun:test'
import { type Resume, resumeAt, type ResumeInput } from '../../../lib/store-thread/recovery/resume-decision.ts'

/** A store in order: its changelog names source offset 99, 100 is committed, the source goes from 0 to 150. */
const inOrder: ResumeInput = {
  recordsRecovered: 80,
  highestSourceOffset: 99,
  afterOffset: -1,
  changelogStart: 0,
  changelogEnd: 103,
  stated: { changelogStart: 0, changelogEnd: 102 },
  committed: 100,
  sourceStart: 0,
  sourceEnd: 150,
  sourceRecreated: false,
  sourceChange: undefined,
  changelogChange: undefined,
  discardedAt: -1,
  reset: 'earliest',
  isRebuildAsked: false,
  isRebuildUnfinished: false,
  dependsOnFormer: false,
}
const unstated = { changelogStart: -1, changelogEnd: -1 }
const fresh: Partial<ResumeInput> = {
  recordsRecovered: 0,
  highestSourceOffset: -1,
  changelogEnd: 1,
  stated: unstated,
  committed: -1,
}
/** As Kafka Streams leaves it. */
const withoutHeaders: Partial<ResumeInput> = { highestSourceOffset: -1, stated: unstated }

interface Row {
  when: string
  input: Partial<ResumeInput>
  expected: Partial<Resume>
}

const goesOn: Row[] = [
  { when: 'all is in order', input: {}, expected: { position: 100 } },
  { when: 'less was committed than written', input: { committed: 40 }, expected: { position: 100 } },
  { when: 'more was committed than written', input: { committed: 120 }, expected: { position: 100 } },
  { when: 'nothing was committed', input: { committed: -1, stated: unstated }, expected: { position: 100 } },
  { when: 'a user wrote after later source records', input: { afterOffset: 120 }, expected: { position: 121 } },
  { when: 'a user wrote before them', input: { afterOffset: 60 }, expected: { position: 100 } },
  {
    when: 'compaction has left only what a user wrote',
    input: { highestSourceOffset: -1, afterOffset: 120, committed: 110 },
    expected: { position: 121 },
  },
  {
    when: 'a user wrote before anything was consumed',
    input: { ...fresh, recordsRecovered: 1, afterOffset: -1 },
    expected: { position: 0 },
  },
  {
    when: 'more was committed than written since a part was discarded',
    input: { committed: 120, discardedAt: 101 },
    expected: { position: 120 },
  },
  { when: 'the source has nothing more', input: { sourceEnd: 100 }, expected: { position: 100 } },
  { when: 'the source begins right after that', input: { sourceStart: 100 }, expected: { position: 100, lost: 0 } },
  { when: 'the source begins later', input: { sourceStart: 130 }, expected: { position: 130, lost: 30 } },
  { when: 'all of the source was removed', input: { sourceStart: 150 }, expected: { position: 150, lost: 50 } },
  { when: 'the changelog names no offsets', input: withoutHeaders, expected: { position: 100 } },
  {
    when: 'the changelog names none and the source begins later',
    input: { ...withoutHeaders, sourceStart: 110 },
    expected: { position: 110, lost: 10 },
  },
  {
    when: 'the changelog names none and nothing was committed',
    input: { ...withoutHeaders, committed: -1 },
    expected: { position: 0 },
  },
  { when: 'there is nothing yet', input: fresh, expected: { position: 0, reason: 'at the start of the source' } },
  {
    when: 'there is nothing yet and the source begins later',
    input: { ...fresh, sourceStart: 30 },
    expected: { position: 30, lost: 0 },
  },
  {
    when: 'nothing was written of what was committed, at the start',
    input: { ...fresh, committed: 0 },
    expected: { position: 0 },
  },
  {
    when: 'a truncated changelog was stated to be complete',
    input: { changelogStart: 50, stated: { changelogStart: 50, changelogEnd: 102 } },
    expected: { position: 100 },
  },
  {
    when: 'the changelog ends exactly where it was stated to',
    input: { changelogEnd: 102 },
    expected: { position: 100 },
  },
  {
    when: 'a former source was discarded before the last commit',
    input: { discardedAt: 60 },
    expected: { position: 100 },
  },
]

test.each(goesOn)('resumeAt continues, without a rebuild, when $when', ({ input, expected }) => {
  expect(resumeAt({ ...inOrder, ...input })).toMatchObject({ rebuild: false, discard: false, lost: 0, ...expected })
})

const rebuilds: Row[] = [
  {
    when: 'the user asks for it',
    input: { isRebuildAsked: true },
    expected: { discard: true, reason: '--rebuild asks for it' },
  },
  {
    when: 'the user asks for it, and there is nothing to resume from',
    input: { ...fresh, isRebuildAsked: true },
    expected: { discard: true },
  },
  {
    when: 'a requested rebuild was not finished, with any result of compaction',
    input: { isRebuildUnfinished: true, stated: unstated },
    expected: { discard: true, reason: expect.stringContaining('was not finished') },
  },
  {
    when: 'the changelog was truncated, and values depend on those before them',
    input: { changelogStart: 50, dependsOnFormer: true },
    expected: { discard: true, reason: 'the changelog was truncated: it starts at offset 50' },
  },
  {
    when: 'the changelog is empty, and values depend on those before them',
    input: { ...fresh, committed: 100, dependsOnFormer: true },
    expected: { discard: false },
  },
  {
    when: 'the source has another record there',
    input: { sourceRecreated: true },
    expected: { discard: true, reason: expect.stringContaining('its record at offset 99 is not the one') },
  },
  {
    when: 'the source ends before it',
    input: { sourceEnd: 99 },
    expected: { discard: true, reason: expect.stringContaining('it ends at offset 99, 99 had been ingested') },
  },
  {
    when: 'the source is another topic, or was cut off, though its record there is the same',
    input: { sourceChange: 'its topic id is another one' },
    expected: { discard: true, reason: expect.stringContaining('truncated: its topic id is another one') },
  },
  {
    when: 'the changelog is another topic, or was cut off, though it has become longer since',
    input: { changelogChange: 'its topic id is another one', changelogEnd: 900 },
    expected: { discard: false, reason: expect.stringContaining('recreated: its topic id is another one') },
  },
  {
    when: 'a discard was not finished',
    input: { highestSourceOffset: -1, discardedAt: 102 },
    expected: { discard: true, reason: expect.stringContaining('was not finished') },
  },
  {
    when: 'the rebuild after a discard was not finished',
    input: { highestSourceOffset: 30, discardedAt: 110, changelogEnd: 150 },
    expected: { discard: false, reason: expect.stringContaining('was not finished') },
  },
  {
    when: 'the changelog was truncated',
    input: { changelogStart: 50 },
    expected: { discard: false, reason: 'the changelog was truncated: it starts at offset 50' },
  },
  {
    when: 'the changelog was truncated again',
    input: { changelogStart: 60, stated: { changelogStart: 50, changelogEnd: 102 } },
    expected: { discard: false },
  },
  {
    when: 'no commit states a truncated changelog',
    input: { ...withoutHeaders, changelogStart: 50 },
    expected: { discard: false },
  },
  {
    when: 'the changelog ends before it was stated to',
    input: { changelogEnd: 101 },
    expected: { discard: false, reason: expect.stringContaining('it ends at offset 101, it had reached 102') },
  },
  {
    when: 'the changelog is empty although something was committed',
    input: { ...fresh, committed: 100 },
    expected: { discard: false, reason: expect.stringContaining('the changelog is empty although offset 100') },
  },
  {
    when: 'the changelog is empty and the source is shorter than what was committed',
    input: { ...fresh, committed: 200 },
    expected: { discard: true },
  },
  {
    when: 'the source is shorter than its commit, and no header says more',
    input: { ...withoutHeaders, committed: 151 },
    expected: { discard: true, reason: expect.stringContaining('it ends at offset 150, 151 had been committed') },
  },
]

test.each(rebuilds)('resumeAt rebuilds from the start of the source when $when', ({ input, expected }) => {
  for (const sourceStart of [0, 20]) {
    for (const reset of ['earliest', 'latest', 'error'] as const) {
      const resume = resumeAt({ ...inOrder, ...input, sourceStart, reset })
      expect(resume).toMatchObject({ rebuild: true, position: sourceStart, lost: 0, ...expected })
      expect(resume.refused).toBeUndefined()
    }
  }
})

test('resumeAt begins at the end, and skips what it may, when auto.offset.reset=latest', () => {
  const latest = { ...inOrder, reset: 'latest' } as const
  expect(resumeAt({ ...latest, ...fresh })).toMatchObject({ position: 150, rebuild: false, lost: 0 })
  expect(resumeAt({ ...latest, sourceStart: 130 })).toMatchObject({ position: 150, rebuild: false, lost: 50 })
  expect(resumeAt(latest)).toMatchObject({ position: 100, lost: 0 })
  const stated = { changelogStart: 0, changelogEnd: 1 }
  expect(resumeAt({ ...latest, ...fresh, committed: 100, stated })).toMatchObject({ position: 100, rebuild: false })
})

test('resumeAt refuses to choose a position when auto.offset.reset=error', () => {
  const error = { ...inOrder, reset: 'error' } as const
  expect(resumeAt(error).refused).toBeUndefined()
  expect(resumeAt({ ...error, ...fresh }).refused).toBe('neither the changelog nor the group has a position')
  expect(resumeAt({ ...error, sourceStart: 130 }).refused).toBe('the source begins at offset 130, and 100 is next')
})
