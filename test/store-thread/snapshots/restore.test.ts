import { expect, test } from 'bun:test'
import { snapshotRefusals } from '../../../lib/store-protocol/snapshot-refusal.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { Restorer } from '../../../lib/store-thread/snapshots/restorer.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse, fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { FakeSnapshots } from '../../support/store-thread/fake-snapshots.ts'
import { someFacts } from '../../support/store-thread/snapshot-facts.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'

const identity = { producerId: 7, producerEpoch: 4 }
const brokerNow = 1_800_000_000_000
const takenAt = () => ({ local: Date.now() - 1_000, broker: brokerNow - 1_000_000 })

function marker(offset: number, { producerId, producerEpoch } = identity): Buffer {
  const record = rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })
  const times = { baseTimestamp: BigInt(brokerNow), maxTimestamp: BigInt(brokerNow) }
  const of = { producerId: BigInt(producerId), producerEpoch, attributes: 0x30, records: [record] }
  return rawBatch({ baseOffset: BigInt(offset), ...of, ...times })
}

/** Restores partition 0 of a changelog whose last batch is at offset 1,200. */
async function restored(
  files: FakeSnapshots,
  { isLocked = true, isFenced = true, markers = [marker(1_200)], epochEnd: endOffset = 1_150 } = {},
) {
  const lines = captureLog()
  const fake = new FakeClient()
  fake.topicId = 'id'
  fake.topics.clusterId = 'cluster'
  fake.offsets.set(0, { earliest: 0, latest: 1_201 })
  fake.topicConfig.set('delete.retention.ms', '86400000')
  void fake.serve(({ request, answer }) => {
    const epochEnd = { partition: 0, epoch: 3, endOffset }
    if (request.apiName !== 'Fetch') return answer(endOfEpochResponse('log', epochEnd))
    expect(fetchPositions(request)[0]!.offset).toBe(1_200)
    const records = markers.length > 1 ? markers.shift()! : markers[0]!
    answer(fetchResponse('log', [{ partition: 0, records, highWatermark: 1_201, lastStableOffset: 1_201 }]))
  })
  const stats = new Stats([0])
  const restorer = new Restorer({ changelogTopic: 'log', files, keepHeaders: [], stats }, isLocked)
  const asks = { client: fake.client, identityOf: () => (isFenced ? identity : undefined), rebuildOf: () => undefined }
  const found = await restorer.restore([0], asks)
  fake.close()
  return { found: found.get(0), start: snapshotRefusals[stats.gauge(0, 'snapshotRefusal')], lines, markers }
}

test('the last snapshot is read, and its age is that by the marker’s clock', async () => {
  const files = new FakeSnapshots()
  files.held.set(0, [someFacts({ takenAt: takenAt() }), someFacts({ position: 500, takenAt: takenAt() })])
  const { found, start } = await restored(files)
  expect(found).toMatchObject({ entries: 5, bytes: 1_000, facts: { position: 1_000 } })
  expect(found!.ageMs).toBeGreaterThanOrEqual(1_000_000)
  expect(found!.ageMs).toBeLessThan(1_100_000)
  expect([start, files.restored.length]).toEqual(['used', 1])
})

test('the marker is waited for, which reaches the partition a little later', async () => {
  const files = new FakeSnapshots()
  files.held.set(0, [someFacts({ takenAt: takenAt() })])
  const { found } = await restored(files, {
    markers: [marker(1_200, { producerId: 7, producerEpoch: 3 }), marker(1_200)],
  })
  expect(found!.ageMs).toBeGreaterThanOrEqual(1_000_000)
})

test('a marker that comes after the end was asked for is the end', async () => {
  const files = new FakeSnapshots()
  files.held.set(0, [someFacts({ position: 1_201, takenAt: takenAt() })])
  const record = rawBatch({ baseOffset: 1_200n, producerId: 7n, producerEpoch: 3, records: [rawRecord({ key: 'a' })] })
  const { found, start } = await restored(files, { markers: [Buffer.concat([record, marker(1_201)])], epochEnd: 1_202 })
  expect([found?.facts.position, start]).toEqual([1_201, 'used'])
})

test('without a marker the local clock counts', async () => {
  const files = new FakeSnapshots()
  files.held.set(0, [someFacts({ takenAt: takenAt() })])
  const { found } = await restored(files, { isFenced: false })
  expect(found!.ageMs).toBeLessThan(500_000)
})

test('the snapshot before the last one is read where the last may not be used, or is damaged', async () => {
  const before = someFacts({ position: 900, takenAt: takenAt() })
  const lost = new FakeSnapshots()
  lost.held.set(0, [someFacts({ position: 1_180, takenAt: takenAt() }), before])
  const one = await restored(lost)
  expect([one.found!.facts.position, one.start]).toEqual([900, 'used'])
  expect(one.lines.join('\n')).toContain('and the snapshot reaches 1180. The one before it is used')

  const damaged = new FakeSnapshots()
  damaged.held.set(0, [someFacts({ takenAt: takenAt() }), before])
  damaged.restoreFaults = [{ reason: 'damaged', message: 'log: a checksum is wrong' }]
  const other = await restored(damaged)
  expect([other.found!.facts.position, other.start]).toEqual([900, 'used'])
  expect(other.lines.join('\n')).toContain(
    'partition 0 is not used: log: a checksum is wrong. The one before it is used',
  )
})

test.each([
  ['none', 'there is none', {}],
  ['damaged', 'what it states has no form', { held: [{ position: -1 }] }],
  ['newer', 'a later version wrote it', { faults: [{ reason: 'newer' as const, message: 'version 2' }] }],
  ['too-old', 'it is too old', { held: [someFacts({ takenAt: { local: 0 } })] }],
])(
  'a start begins without a snapshot, and says so: %s, because %s',
  async (reason, _why, { held = [], faults = [] }: { held?: unknown[]; faults?: FakeSnapshots['faults'] }) => {
    const files = new FakeSnapshots()
    files.held.set(0, held)
    files.faults = faults
    const { found, start, lines } = await restored(files)
    // What was read before it was refused is emptied again.
    expect([found, start, files.restored]).toEqual([undefined, reason as typeof start, files.discarded])
    const warned = lines.filter((line) => line.includes('The changelog is read from its start'))
    expect(warned).toHaveLength(reason === 'none' ? 0 : 1)
  },
)

test.each([
  ['is that of the first', ['slot 1 is cut off', 'slot 2 is cut off'], 'slot 1 is cut off (partition 0)'],
  ['is the same', ['slot 1 is cut off', 'slot 1 is cut off'], 'slot 1 is cut off'],
])(
  'one line names the partitions that are refused for one reason; what it says was found %s',
  async (_, found, said) => {
    const files = new FakeSnapshots()
    for (const partition of [0, 1]) files.held.set(partition, [someFacts({ takenAt: takenAt() })])
    files.restoreFaults = found.map((message) => ({ reason: 'damaged', message }))
    const lines = captureLog()
    const options = { changelogTopic: 'log', files, keepHeaders: [], stats: new Stats([0, 1]) }
    const { client, offsets, leading } = new FakeClient()
    for (const partition of [0, 1]) {
      leading.set(partition, 1)
      offsets.set(partition, { earliest: 0, latest: 1_201 })
    }
    const asks = { client, identityOf: () => undefined, rebuildOf: () => undefined }
    await new Restorer(options, true).restore([0, 1], asks)
    const warned = lines.filter((line) => line.includes('is not used'))
    expect(warned).toEqual([
      expect.stringContaining(`log partitions 0, 1 is not used: ${said}. The changelog is read from its start`),
    ])
  },
)

test('nothing is read while another process has the directory', async () => {
  const files = new FakeSnapshots()
  files.held.set(0, [someFacts({ takenAt: takenAt() })])
  const { found, start } = await restored(files, { isLocked: false })
  expect([found, start]).toEqual([undefined, 'locked'])
})

test('Kafka is asked while the snapshots are read', async () => {
  const files = new FakeSnapshots()
  files.held.set(0, [someFacts({ takenAt: takenAt() })])
  const fake = new FakeClient()
  const asked = Promise.withResolvers<void>()
  void fake.serve(({ request, answer }) => {
    if (request.apiName === 'Fetch') {
      asked.resolve()
      return answer(
        fetchResponse('log', [{ partition: 0, records: marker(1_200), highWatermark: 1_201, lastStableOffset: 1_201 }]),
      )
    }
    return answer(endOfEpochResponse('log', { partition: 0, epoch: 3, endOffset: 1_150 }))
  })
  fake.topicId = 'id'
  fake.topics.clusterId = 'cluster'
  fake.offsets.set(0, { earliest: 0, latest: 1_201 })
  const restore = files.restore.bind(files)
  files.restore = async (candidate) => {
    await asked.promise
    return restore(candidate)
  }
  const restorer = new Restorer({ changelogTopic: 'log', files, keepHeaders: [], stats: new Stats([0]) }, true)
  const found = await restorer.restore([0], {
    client: fake.client,
    identityOf: () => identity,
    rebuildOf: () => undefined,
  })
  expect(found.get(0)).toMatchObject({ entries: 5 })
  fake.close()
})
