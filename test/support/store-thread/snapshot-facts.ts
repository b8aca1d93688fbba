import type { SnapshotFacts } from '../../../lib/store-protocol/snapshot-facts.ts'

/** Facts of a snapshot up to offset 1,000 of topic `log`. */
export function someFacts(stated: Partial<SnapshotFacts> = {}): SnapshotFacts {
  return {
    clusterId: 'cluster',
    changelogTopic: 'log',
    topicId: 'id',
    position: 1_000,
    leaderEpoch: 3,
    changelogStart: 0,
    takenAt: { local: 1_000 },
    deleteRetentionMs: 86_400_000,
    keepHeaders: [],
    records: 900,
    trail: { last: { offset: 800, key: 'a2V5', timestamp: 7 }, after: -1, discardedAt: -1 },
    owners: { owner: { producerId: 7, producerEpoch: 3 }, hasMarker: true, followed: [] },
    ...stated,
  }
}
