import { expect, test } from 'bun:test'
import type { Definition } from '../../../lib/definition/index.ts'
import type { SkippedRecord } from '../../../lib/store-protocol/skipped.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import { RecentBadRecords } from '../../../lib/store-thread/ingest/recent-bad-records.ts'
import { setup } from '../../support/store-thread/conversion-setup.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'
import { until } from '../../support/until.ts'

function recording() {
  const reports: (readonly SkippedRecord[])[] = []
  const post = (message: FromThread) => {
    if (message.type === 'bad-records') reports.push(message.records)
  }
  return { reports, recent: new RecentBadRecords(post) }
}

test('the last ten are reported, the latest first, all at once', async () => {
  const { reports, recent } = recording()
  for (let offset = 0; offset < 5_000; offset++) {
    recent.add({ partition: 1, offset, reason: 'null_key', fault: 'it has no key' })
  }
  await until('they are reported', () => reports.length > 0)
  expect(reports).toHaveLength(1)
  expect(reports[0]!.map(({ offset }) => offset)).toEqual([4999, 4998, 4997, 4996, 4995, 4994, 4993, 4992, 4991, 4990])
  expect(Math.abs(reports[0]![0]!.at - Date.now())).toBeLessThan(60_000)
  recent.add({ partition: 1, offset: 7_000, reason: 'null_key', fault: 'x'.repeat(9_000) })
  await until('the next is reported', () => reports.length > 1)
  expect(reports[1]!.slice(0, 2).map(({ offset, fault }) => [offset, fault.length])).toEqual([
    [7_000, 300],
    [4_999, 13],
  ])
})

const quoting: Partial<Definition> = {
  convert: (value) => {
    throw new Error(`unexpected ${JSON.stringify(value)}`)
  },
}

test('what is remembered of a record has nothing of its key and value, which the log may quote', async () => {
  const lines = captureLog()
  const { reports, recent } = recording()
  const { take } = setup(quoting, { recent })
  take({ key: 'k', value: '{"card":"4929"}' }, { key: 'k', value: '{"card":4929x}' }, { key: null, value: '1' })
  await until('they are reported', () => reports.length > 0)
  expect(lines.join('\n')).toContain('4929')
  expect(reports[0]).toMatchObject([
    { partition: 0, offset: 2, reason: 'null_key', fault: 'it has no key' },
    { partition: 0, offset: 1, reason: 'invalid_value', fault: 'its value does not decode as json' },
    { partition: 0, offset: 0, reason: 'conversion', fault: 'its value does not go from json to json' },
  ])
  expect(JSON.stringify(reports)).not.toContain('4929')
})

test('where a partition halts, the reason has nothing of the record either: probes show it without a token', () => {
  const { state, take } = setup(quoting, { onBadRecord: 'stop' })
  take({ key: 'k', value: '{"card":"4929"}' })
  expect(state.reading.halted).toEqual({
    offset: 0,
    fault: expect.stringContaining('4929'),
    what: 'its value does not go from json to json',
  })
})
