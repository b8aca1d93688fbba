import { expect, test } from 'bun:test'
import { allowedAgeMs } from '../../../lib/store-protocol/snapshot-age.ts'
import type { SnapshotFacts } from '../../../lib/store-protocol/snapshot-facts.ts'
import type { SnapshotRefusal } from '../../../lib/store-protocol/snapshot-refusal.ts'
import { refusalOf, type SnapshotCheckInput } from '../../../lib/store-thread/recovery/snapshot-check.ts'
import { someFacts } from '../../support/store-thread/snapshot-facts.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const facts = someFacts({ takenAt: { local: 10 * dayMs, broker: 10 * dayMs }, deleteRetentionMs: dayMs })
/** What Kafka says an hour later, when nothing speaks against the snapshot. */
const fitting: SnapshotCheckInput = {
  facts,
  changelogTopic: 'log',
  clusterId: 'cluster',
  topicId: 'id',
  changelogStart: 0,
  changelogEnd: 1_500,
  epochEnd: 1_400,
  now: { local: 10 * dayMs + hourMs, broker: 10 * dayMs + hourMs },
  deleteRetentionMs: dayMs,
  keepHeaders: [],
  rebuild: undefined,
}

function at(localMs: number, brokerMs?: number): Pick<SnapshotCheckInput, 'now'> {
  return { now: { local: 10 * dayMs + localMs, broker: brokerMs === undefined ? undefined : 10 * dayMs + brokerMs } }
}

function stating(stated: Partial<SnapshotFacts>): Pick<SnapshotCheckInput, 'facts'> {
  return { facts: { ...facts, ...stated } }
}

test.each<[what: string, Partial<SnapshotCheckInput>]>([
  ['as it was left', {}],
  ['nothing was written since', { changelogEnd: 1_000, epochEnd: 1_000 }],
  ['a clock was corrected by seconds', at(-3_000, -2_000)],
  ['the last minute of its age', at(allowedAgeMs(dayMs, true) - 60_000, allowedAgeMs(dayMs, true) - 60_000)],
  ['half of that by the local clock alone', at(allowedAgeMs(dayMs, false) - 60_000)],
  ['headers in another order', { ...stating({ keepHeaders: ['a', 'b'] }), keepHeaders: ['b', 'a'] }],
  ['a changelog whose beginning was deleted before', { ...stating({ changelogStart: 900 }), changelogStart: 900 }],
])('a snapshot is used: %s', (_what, now) => {
  expect(refusalOf({ ...fitting, ...now })).toBeUndefined()
})

test.each<[SnapshotRefusal, what: string, Partial<SnapshotCheckInput>, found: string]>([
  ['rebuild', 'a rebuild that is asked for', { rebuild: 'asked' }, '--rebuild'],
  ['rebuild', 'an unfinished rebuild', { rebuild: 'unfinished' }, 'not finished'],
  ['other-cluster', 'another cluster', { clusterId: 'other' }, 'this is cluster other'],
  ['other-cluster', 'a cluster without an id', { clusterId: undefined }, 'of cluster cluster'],
  ['recreated', 'another changelog', { changelogTopic: 'log2' }, 'it is of topic log'],
  ['recreated', 'a topic of the same name', { topicId: 'id2' }, 'its topic id is id2, it had been id'],
  ['recreated', 'brokers that name no ids', { topicId: undefined }, 'it had been id'],
  ['records-deleted', 'records deleted below it', { changelogStart: 10 }, 'it had started at 0'],
  ['records-deleted', 'records deleted beyond it', { changelogStart: 1_001 }, 'starts at offset 1001'],
  [
    'records-deleted',
    'a start above its position, as it states itself',
    { ...stating({ changelogStart: 1_001 }), changelogStart: 1_001 },
    'starts at offset 1001',
  ],
  ['truncated', 'an end below it', { changelogEnd: 999 }, 'ends at offset 999, the snapshot at 1000'],
  ['records-lost', 'a leader epoch that ends below it', { epochEnd: 999 }, 'ends at offset 999'],
  ['records-lost', 'a leader that does not know the epoch', { epochEnd: undefined }, 'not known to its leader'],
  ['too-old', 'tombstones may be gone, by both clocks', at(allowedAgeMs(dayMs, true), dayMs), 'could return'],
  ['too-old', 'tombstones may be gone, by the broker', at(hourMs, allowedAgeMs(dayMs, true)), 'could return'],
  ['too-old', 'tombstones may be gone, by this machine', at(allowedAgeMs(dayMs, true), hourMs), 'could return'],
  ['too-old', 'half of that without the broker', at(allowedAgeMs(dayMs, false)), 'delete.retention.ms=86400000'],
  ['too-old', 'half of that, made by a copy', { ...stating({ takenAt: { local: 9.5 * dayMs } }) }, 'could return'],
  ['too-old', 'a shorter delete.retention.ms now', { deleteRetentionMs: hourMs }, 'delete.retention.ms=3600000'],
  ['too-old', 'a shorter one when it was made', stating({ deleteRetentionMs: hourMs }), 'delete.retention.ms=3600000'],
  ['too-old', 'no age that is allowed', { ...at(0, 0), deleteRetentionMs: 0 }, '0 s are allowed'],
  ['clock', 'the clock of this machine set back by a day', at(-dayMs, hourMs), 'went backwards'],
  ['clock', 'the clock of the broker set back', at(hourMs, -dayMs), 'went backwards'],
  ['other-headers', 'other headers', { keepHeaders: ['trace'] }, 'this start has trace'],
  ['other-headers', 'no headers', stating({ keepHeaders: ['trace'] }), 'KEEP_HEADERS=trace, this start has none'],
])('a snapshot is refused: %s, %s', (reason, _what, now, found) => {
  expect(refusalOf({ ...fitting, ...now })).toEqual({ reason, found: expect.stringContaining(found) })
})
