/** What a primary leaves in the map, and how a replica continues it. */
import { expect, test } from 'bun:test'
import type { Recovered } from '../../lib/store-thread/recovery/recovery.ts'
import { copyOf, replicaOf } from '../../lib/store-thread/replica.ts'

const owner = { producerId: 7, producerEpoch: 3 }
const last = { offset: 20, key: Buffer.from('key'), timestamp: 5 }
const recovered: Recovered = {
  records: 12,
  changelogStart: 4,
  changelogEnd: 30,
  isEndSure: true,
  last,
  after: -1,
  discardedAt: 9,
  owners: { hasMarker: true, owner: { producerId: 6, producerEpoch: 1 }, followed: [] },
  clock: undefined,
  restored: undefined,
  outdated: [],
}

test('a replica continues a primary at the end of what was acknowledged', () => {
  const replica = replicaOf(copyOf(recovered, { changelogEnd: 50, acknowledged: 31 }, owner, 2))
  const { source, position, records } = replica.trail
  // The source is resumed there, even if the last records were skipped and are not in the changelog.
  expect(position).toBe(31)
  expect([source.last, source.discardedAt, records]).toEqual([last, 9, 32])
  expect(replica).toMatchObject({ start: 4, position: 50, filled: true, opened: true, isDisputed: false })
  expect(replica.epochs.last).toBe(2)
  expect(replica.succession.state.owner).toEqual(owner)
})

test('a replica of a primary that has written nothing has no records more', () => {
  const none = { ...recovered, records: 0, last: undefined, changelogEnd: 1, discardedAt: -1 }
  const { trail } = replicaOf(copyOf(none, { changelogEnd: 1, acknowledged: 0 }, owner, undefined))
  expect([trail.records, trail.position]).toEqual([0, -1])
})
