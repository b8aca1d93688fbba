/** Copies are as far as readers see them, not as far as they were read. */
import { expect, test } from 'bun:test'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { VisibleLags } from '../../../lib/store-thread/changes/visible-lags.ts'

function open() {
  const stats = new Stats([0, 1])
  const lags = new VisibleLags(stats)
  const shown = (partition: number) => {
    return (['position', 'end', 'endKnownAt'] as const).map((name) => stats.gauge(partition, name))
  }
  return { lags, shown, before: shown(0) }
}

test('position and end are shown once the publish that began after them has ended', () => {
  const { lags, shown, before } = open()
  lags.note(0, 7, { end: 9, askedAt: 100 })
  expect(shown(0)).toEqual(before)
  lags.began()
  lags.note(0, 9, { end: 9, askedAt: 200 })
  lags.ended()
  expect(shown(0)).toEqual([7, 9, 100])
  lags.began()
  lags.ended()
  expect(shown(0)).toEqual([9, 9, 200])
})

test('of several responses before a publish the last position and the last known end count', () => {
  const { lags, shown } = open()
  lags.note(0, 7, { end: 9, askedAt: 100 })
  lags.note(0, 8, undefined)
  lags.note(1, 3, { end: 3, askedAt: 90 })
  lags.began()
  lags.ended()
  expect([shown(0), shown(1)]).toEqual([
    [8, 9, 100],
    [3, 3, 90],
  ])
})

test('nothing is shown of a partition that is not a copy any more', () => {
  const { lags, shown, before } = open()
  lags.note(0, 7, { end: 9, askedAt: 100 })
  lags.began()
  lags.note(0, 9, { end: 9, askedAt: 200 })
  lags.forget(0)
  lags.ended()
  lags.began()
  lags.ended()
  expect(shown(0)).toEqual(before)
})
