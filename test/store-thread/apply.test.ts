import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { applyLateRecords, applyRecords } from '../../lib/store-thread/apply.ts'
import { SourceTrail } from '../../lib/store-thread/recovery/source-trail.ts'
import { headerOf, rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { createFixture } from '../support/map/map-pair.ts'
import { opened } from '../support/store-thread/stand-ins.ts'

function batch(baseOffset: number, key: string, src: number) {
  const records = [rawRecord({ key, value: 'value', headers: [['src', headerOf(src)]] })]
  return opened(rawBatch({ baseOffset: BigInt(baseOffset), records }))
}

test('the record that is furthest in the source is known by its key when a late batch has brought it', () => {
  const { map } = createFixture()
  const trail = new SourceTrail()
  applyRecords(map, new Stats([0]), 0, batch(0, 'first', 1), 0, trail)
  applyLateRecords(map, 0, batch(1, 'late', 9), 1, trail)
  applyRecords(map, new Stats([0]), 0, batch(2, 'other', 3), 2, trail)
  expect(trail.last).toMatchObject({ offset: 9, key: Buffer.from('late') })
})
