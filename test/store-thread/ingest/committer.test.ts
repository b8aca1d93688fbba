import { afterEach, expect, spyOn, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import type { CommittedOffset } from '../../../lib/kafka/offsets.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { Committer } from '../../../lib/store-thread/ingest/committer.ts'
import { sourceCommitOf, withMarks } from '../../../lib/store-thread/recovery/marks.ts'
import { completenessMetadata } from '../../../lib/topics/completeness.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'

const open: Committer[] = []
afterEach(() => {
  for (const committer of open.splice(0)) committer.stop()
})

interface Commit {
  partition: number
  offset: string
  metadata: string
}

interface AskedTopic {
  topic: string
  partitions: Commit[]
}

/** A coordinator that keeps what is committed. */
class FakeCoordinator {
  readonly committed = new Map<number, Commit>()
  /** What is committed for the changelog, though it says that it refuses. */
  readonly beside = new Map<number, Commit>()
  readonly requests: Commit[][] = []
  failure: Error | undefined
  /** Resolves what a commit waits for. */
  gate: Promise<void> = Promise.resolve()

  async coordinator(): Promise<number> {
    return 1
  }

  forgetCoordinator(): void {}

  async call(_: number, api: string, __: number, args: unknown): Promise<unknown> {
    if (this.failure) throw this.failure
    const [{ topic, partitions }, beside] = (args as { topics: [AskedTopic, AskedTopic?] }).topics
    if (api === 'OffsetFetch') {
      const found = partitions.map(({ partition }) => {
        return { errorCode: 0, ...(this.committed.get(partition) ?? { partition, offset: '-1', metadata: '' }) }
      })
      return { errorCode: 0, responses: [{ topic, partitions: found }] }
    }
    await this.gate
    for (const commit of beside?.partitions ?? []) this.beside.set(commit.partition, commit)
    this.requests.push(partitions)
    for (const commit of partitions) this.committed.set(commit.partition, commit)
    const answers = partitions.map(({ partition }) => ({ partition, errorCode: 0 }))
    const refused = (beside?.partitions ?? []).map(({ partition }) => ({ partition, errorCode: 29 }))
    return {
      responses: [
        { topic, partitions: answers },
        { topic: beside?.topic, partitions: refused },
      ],
    }
  }
}

interface Held {
  committed?: Record<number, CommittedOffset>
  overruled?: Record<number, number>
}

function start({ committed = {}, overruled = {} }: Held = {}) {
  const group = new FakeCoordinator()
  for (const [partition, { offset, metadata }] of Object.entries(committed)) {
    group.committed.set(Number(partition), { partition: Number(partition), offset: String(offset), metadata })
  }
  const stats = new Stats([0, 1])
  const acknowledged = new Map<number, number>()
  const completeness = { changelogStart: 0, changelogEnd: 100 }
  const metadata = { of: () => completenessMetadata(completeness) }
  const committer = new Committer(
    group as unknown as KafkaClient,
    { storeId: 'store', sourceTopic: 'source', changelogTopic: 'changelog' } as StoreConfig,
    stats,
    { acknowledged: () => acknowledged, metadata: () => metadata.of() },
  )
  for (const [partition, commit] of Object.entries(committed)) {
    committer.add(Number(partition), commit, { discard: false, rebuild: false })
  }
  for (const [partition, offset] of Object.entries(overruled)) {
    committer.add(Number(partition), { offset, metadata: '' }, { discard: true, rebuild: true })
  }
  open.push(committer)
  const offsets = () =>
    group.requests.map((commits) => commits.map(({ partition, offset }) => `${partition}: ${offset}`))
  return { group, stats, acknowledged, completeness, metadata, committer, offsets }
}

test('Committer also commits for the changelog what it commits for the source, and ignores a refusal of that', async () => {
  const { group, acknowledged, committer, stats } = start()
  acknowledged.set(0, 50)
  await committer.commit()
  expect(stats.count('commitFailures')).toBe(0)
  const { offset, metadata } = group.beside.get(0)!
  expect([offset, metadata]).toEqual(['100', `${group.committed.get(0)!.metadata} source-offset=50`])
  expect(sourceCommitOf({ offset: 100, metadata })).toEqual({ offset: 50, metadata })
})

test('Committer states another topic at the same offset, and not what it stated before', async () => {
  const marks = { sourceEpochs: '0@0', changelogId: undefined, changelogEpoch: undefined }
  const of = (sourceId: string | undefined) => withMarks(stated(0, 100), { ...marks, sourceId })
  const { group, acknowledged, committer, metadata } = start({ committed: { 0: { offset: 50, metadata: of(idA) } } })
  acknowledged.set(0, 50)
  metadata.of = () => of(idA)
  await committer.commit()
  expect(group.requests).toHaveLength(0)
  metadata.of = () => of(idB)
  await committer.commit()
  expect(group.committed.get(0)!.metadata).toBe(of(idB))
})

const idA = 'aaaaaaaaaaaaaaaaaaaaaa'
const idB = 'bbbbbbbbbbbbbbbbbbbbbb'
const stated = (changelogStart: number, changelogEnd: number) => completenessMetadata({ changelogStart, changelogEnd })

test('Committer commits what is acknowledged, with the state of the changelog, and only what is new', async () => {
  const { acknowledged, committer, group, offsets, stats } = start()
  acknowledged.set(0, 10).set(1, 5)
  await committer.commit()
  acknowledged.set(1, 7)
  await committer.commit()
  await committer.commit()
  expect(offsets()).toEqual([['0: 10', '1: 5'], ['1: 7']])
  expect(group.committed.get(0)!.metadata).toBe(stated(0, 100))
  expect([stats.count('commits'), stats.gauge(0, 'committed'), stats.gauge(1, 'committed')]).toEqual([2, 10, 7])
})

test('Committer never commits less than the group had at start', async () => {
  const { acknowledged, committer, offsets, stats } = start({
    committed: { 0: { offset: 50, metadata: stated(0, 90) } },
  })
  expect(stats.gauge(0, 'committed')).toBe(50)
  for (const offset of [40, 50, 51]) {
    acknowledged.set(0, offset)
    await committer.commit()
  }
  expect(offsets()).toEqual([['0: 51']])
})

test.each([
  ['the changelog begins elsewhere', stated(7, 90)],
  ['the changelog was recreated and is shorter', stated(0, 900)],
  ['nothing was stated of the changelog', ''],
])('Committer restates what is complete, at the same offset, when %s', async (_, metadata) => {
  const { acknowledged, committer, offsets } = start({ committed: { 0: { offset: 50, metadata } } })
  acknowledged.set(0, 40)
  await committer.commit()
  acknowledged.set(0, 50)
  await committer.commit()
  await committer.commit()
  expect(offsets()).toEqual([['0: 50']])
})

test('Committer does not replace a later commit of another instance', async () => {
  const { acknowledged, committer, group, offsets } = start()
  group.committed.set(0, { partition: 0, offset: '80', metadata: '' })
  acknowledged.set(0, 60).set(1, 5)
  await committer.commit()
  acknowledged.set(0, 90)
  await committer.commit()
  expect(offsets()).toEqual([['1: 5'], ['0: 90']])
})

test('Committer commits a lower offset only over a commit of a deleted source', async () => {
  const { acknowledged, committer, group, offsets } = start({ overruled: { 0: 80, 1: 80 } })
  for (const partition of [0, 1]) group.committed.set(partition, { partition, offset: '80', metadata: '' })
  group.committed.get(1)!.offset = '81'
  acknowledged.set(0, 20).set(1, 20)
  await committer.commit()
  expect(offsets()).toEqual([['0: 20']])
})

test('Committer counts and logs a failure, and tries again with the next commit', async () => {
  const lines = captureLog()
  const { acknowledged, committer, group, offsets, stats } = start()
  acknowledged.set(0, 10)
  group.failure = new LatchkeyError('broker_unreachable', 'OffsetFetch to b:1: refused')
  await committer.commit()
  expect(stats.count('commitFailures')).toBe(1)
  expect(lines).toEqual(['warning OffsetFetch to b:1: refused; trying again'])
  group.failure = undefined
  await committer.commit()
  expect(offsets()).toEqual([['0: 10']])
})

test('Committer commits once at a time, and once more when it is closed', async () => {
  const { acknowledged, committer, group, offsets } = start()
  const gate = Promise.withResolvers<void>()
  group.gate = gate.promise
  acknowledged.set(0, 10)
  const commits = [committer.commit(), committer.commit()]
  acknowledged.set(0, 20)
  const closed = committer.close()
  gate.resolve()
  await Promise.all([...commits, closed])
  expect(offsets()).toEqual([['0: 10'], ['0: 20']])
})

test('Committer is settled when no commit is under way, and commits the same again when that is to be restated', async () => {
  const { acknowledged, committer, group, offsets } = start()
  const gate = Promise.withResolvers<void>()
  group.gate = gate.promise
  acknowledged.set(0, 10)
  void committer.commit()
  let isSettled = false
  const settled = committer.settled().then(() => (isSettled = true))
  await new Promise((resolve) => setImmediate(resolve))
  expect([isSettled, offsets()]).toEqual([false, []])
  gate.resolve()
  await settled
  expect(offsets()).toEqual([['0: 10']])
  committer.restate(0)
  await committer.commit()
  expect(offsets()).toEqual([['0: 10'], ['0: 10']])
})

test('Committer asks again before it commits when it was suspended during the answer', async () => {
  const { acknowledged, committer, group, offsets, stats } = start()
  acknowledged.set(0, 60)
  let now = 0
  const clock = spyOn(performance, 'now').mockImplementation(() => now)
  const call = spyOn(group, 'call').mockImplementationOnce(async () => {
    now += 60_000
    return { errorCode: 0, responses: [{ partitions: [{ errorCode: 0, partition: 0, offset: '-1', metadata: '' }] }] }
  })
  try {
    group.committed.set(0, { partition: 0, offset: '80', metadata: '' })
    await committer.commit()
    expect([offsets(), stats.count('commitFailures')]).toEqual([[], 1])
    await committer.commit()
    expect(offsets()).toEqual([])
    acknowledged.set(0, 90)
    await committer.commit()
    expect(offsets()).toEqual([['0: 90']])
  } finally {
    clock.mockRestore()
    call.mockRestore()
  }
})
