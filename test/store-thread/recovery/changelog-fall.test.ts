import { expect, setSystemTime, test } from 'bun:test'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { noteChangelogFall } from '../../../lib/store-thread/recovery/changelog-fall.ts'
import { withMarks } from '../../../lib/store-thread/recovery/marks.ts'
import { completenessMetadata } from '../../../lib/topics/completeness.ts'

function commit(changelogFellAt?: number) {
  const none = { sourceId: undefined, sourceEpochs: undefined, changelogId: undefined, changelogEpoch: undefined }
  const stated = completenessMetadata({ changelogStart: 0, changelogEnd: 9 })
  return { offset: 5, metadata: withMarks(stated, { ...none, changelogFellAt }) }
}

function fellAt(commits: ReturnType<typeof commit>[], rebuilds: boolean[], before = 0): number {
  const stats = new Stats([0])
  stats.set('changelogFellAt', before)
  const resumed = rebuilds.map((rebuild) => ({ rebuild }))
  noteChangelogFall(stats, commits, resumed)
  return stats.count('changelogFellAt')
}

test('a start knows when the changelog has lost records last, from commits or because it rebuilds', () => {
  expect(fellAt([], [])).toBe(0)
  expect(fellAt([commit(), { offset: 1, metadata: '' }], [false, false])).toBe(0)
  expect(fellAt([commit(1_700_000_000_000), commit(1_600_000_000_000)], [false])).toBe(1_700_000_000_000)
  expect(fellAt([commit(1_600_000_000_000)], [false], 1_650_000_000_000)).toBe(1_650_000_000_000)
  setSystemTime(1_800_000_000_000)
  expect(fellAt([commit(1_700_000_000_000)], [false, true])).toBe(1_800_000_000_000)
  setSystemTime()
})
