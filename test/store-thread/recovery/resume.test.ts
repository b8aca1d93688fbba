import { expect, test } from 'bun:test'
import type { CommittedOffset } from '../../../lib/kafka/offsets.ts'
import { changelogCommitOf, sourceCommitOf, withMarks } from '../../../lib/store-thread/recovery/marks.ts'
import type { Recovered } from '../../../lib/store-thread/recovery/recovery.ts'
import { resumptions } from '../../../lib/store-thread/recovery/resume.ts'
import { completenessMetadata, rebuildingMetadata } from '../../../lib/topics/completeness.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'

const [former, now] = ['AAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBB']

/** A commit of the source at an offset, with the source's topic id. */
function commit(offset: number, sourceId: string): CommittedOffset {
  const stated = completenessMetadata({ changelogStart: 0, changelogEnd: 9 })
  const marks = { sourceEpochs: undefined, changelogId: undefined, changelogEpoch: undefined }
  return { offset, metadata: withMarks(stated, { sourceId, ...marks }) }
}

/** Of a changelog with nine records of source offsets up to 6. */
async function resumed(found: { committed?: CommittedOffset; marked?: CommittedOffset; isEndedEarly?: boolean }) {
  const fake = new FakeClient()
  fake.topicId = now
  fake.offsets.set(0, { earliest: 0, latest: 100 })
  const recovered = {
    records: 9,
    changelogStart: 0,
    changelogEnd: 9,
    isEndSure: true,
    last: undefined,
    after: 6,
    discardedAt: -1,
    owners: { hasMarker: true, followed: [] },
    clock: undefined,
    restored: undefined,
    outdated: [],
  } satisfies Recovered
  const of = (one: CommittedOffset | undefined) => new Map(one === undefined ? [] : [[0, one]])
  const all = await resumptions({
    client: fake.client,
    sourceTopic: 'source',
    changelogTopic: 'changelog',
    partitions: [0],
    recovered: new Map([[0, recovered]]),
    committed: of(found.committed),
    marked: of(found.marked),
    endedEarly: new Map(found.isEndedEarly === true ? [[0, 'it ends at offset 8, it had reached 9']] : []),
    keepsTimestamps: true,
    reset: 'earliest',
    isRebuildAsked: false,
    dependsOnFormer: false,
  })
  const { position, rebuild, discard } = all.get(0)!
  return { position, rebuild, discard }
}

const goesOn = { position: 7, rebuild: false, discard: false }
const beginsAgain = { position: 0, rebuild: true, discard: true }

test('a store continues after the last record of the changelog when source and commit are of one topic', async () => {
  expect(await resumed({ committed: commit(7, now) })).toEqual(goesOn)
})

test('a store begins again when the commit is of another topic', async () => {
  expect(await resumed({ committed: commit(7, former) })).toEqual(beginsAgain)
})

test('the commit for the changelog identifies a recreated topic when the commit for the source was deleted with it', async () => {
  const marked = sourceCommitOf(changelogCommitOf(commit(7, former))!)!
  expect(marked.offset).toBe(7)
  expect(await resumed({ marked })).toEqual(beginsAgain)
})

test('the commit for the source overrides the commit for the changelog', async () => {
  expect(await resumed({ committed: commit(7, now), marked: commit(5, former) })).toEqual(goesOn)
})

test('a store begins again when a rebuild was not finished, with a warning, as at the start that began it', async () => {
  const lines = captureLog()
  expect(await resumed({ committed: { offset: 7, metadata: rebuildingMetadata } })).toEqual(beginsAgain)
  expect(lines).toEqual([
    expect.stringMatching(/^warning source partition 0: rebuilding from offset 0, .*not finished$/),
  ])
})

test('the cause of an automatic rebuild is logged as an error', async () => {
  const lines = captureLog()
  await resumed({ committed: commit(7, former) })
  expect(lines).toEqual([expect.stringMatching(/^error source partition 0: rebuilding from offset 0, because /)])
})

test('a store reads its source again when the changelog ended early before it was fenced', async () => {
  const committed = commit(7, now)
  expect(await resumed({ committed, isEndedEarly: true })).toEqual({ position: 0, rebuild: true, discard: false })
})
