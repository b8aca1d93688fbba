/** A replica that becomes a primary reads up to the marker of its own fence, over brokers that are the test. */
import { afterEach, expect, test } from 'bun:test'
import type { RecordBatchReader } from '../../lib/kafka/record-batch/index.ts'
import type { PartitionOwnership } from '../../lib/store-thread/ingest/partition-ownership.ts'
import { ReplicaHandover } from '../../lib/store-thread/replica-handover.ts'
import { replicaFrom } from '../../lib/store-thread/replica.ts'
import type { StoreContext } from '../../lib/store-thread/store-context.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { headerOf, rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { startReplica, stopReplicas } from '../support/store-thread/replica-setup.ts'
import { soon } from '../support/until.ts'

afterEach(stopReplicas)

const marker = 0x30
const own = { producerId: 7, producerEpoch: 3 }
const ownership = { identity: () => own } as unknown as PartitionOwnership

/** A record from the source, or a tombstone that discards. */
function record(offset: number, sourceOffset: number, key = 'key', producerId = 6n) {
  const headers = [['src', headerOf(sourceOffset)]] as const
  return rawBatch({
    baseOffset: BigInt(offset),
    producerId,
    producerEpoch: 1,
    records: [rawRecord({ key, value: `from ${sourceOffset}`, headers })],
  })
}

function abort(offset: number, producerId = 7n, producerEpoch = 3) {
  const records = [rawRecord({ key: Buffer.alloc(4) })]
  return rawBatch({ baseOffset: BigInt(offset), producerId, producerEpoch, attributes: marker, records })
}

async function begin() {
  const replica = startReplica()
  const { handover, filled } = replica.replicas
  await replica.deliver(Buffer.concat([record(0, 10), record(1, 11)]), 2)
  await soon('it is filled', filled)
  handover.expect([0])
  let isEnded = false
  const reading = handover.readToMarkers([0], ownership)
  reading.then(
    () => (isEnded = true),
    () => {},
  )
  const settled = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    return isEnded
  }
  return { ...replica, handover, reading, settled }
}

test('a replica has everything of earlier owners before it is written, and nothing that follows the own marker', async () => {
  const { deliver, reading, settled, map, publish, text } = await begin()
  expect(await settled()).toBe(false)
  // What an earlier owner wrote before it was fenced.
  await deliver(record(2, 12), 3)
  expect(await settled()).toBe(false)
  await deliver(Buffer.concat([abort(3, 6n, 1), record(4, 13), abort(5), record(6, 99, 'later', 8n)]), 7)
  const recovered = (await soon('the marker is read', reading)).get(0)!
  expect(recovered).toMatchObject({ records: 4, changelogStart: 0, changelogEnd: 6, isEndSure: true, after: -1 })
  expect(recovered.last).toMatchObject({ offset: 13, key: Buffer.from('key') })
  await publish()
  expect([map.stats(0).entries, text('key')]).toEqual([1, 'from 13'])
})

test('a replica that could not be taken continues as before', async () => {
  const { deliver, handover, settled, publish, text } = await begin()
  await deliver(record(2, 12), 3)
  handover.cancel([0])
  await deliver(Buffer.concat([abort(3), record(4, 13, 'key', 7n)]), 5)
  expect(await settled()).toBe(false)
  await publish()
  expect(text('key')).toBe('from 13')
})

test('a replica that has read a late batch is not warm', async () => {
  const { deliver, handover, settled } = await begin()
  expect(handover.isWarm(0)).toBe(true)
  await deliver(Buffer.concat([abort(2, 9n, 1), record(3, 12)]), 4)
  await settled()
  expect(handover.isWarm(0)).toBe(false)
})

test('a replica that is becoming a primary reads what is left although memory is full', async () => {
  const { deliver, reading, holdMemory } = await begin()
  holdMemory()
  await deliver(record(2, 12), 3)
  await deliver(abort(3), 4)
  const recovered = (await soon('the marker is read', reading)).get(0)!
  expect(recovered).toMatchObject({ records: 3, changelogEnd: 4 })
})

test('a replica whose marker is hidden delays the others for a moment only, and none while no marker is read', async () => {
  const ends = new Map([0, 1].map((partition) => [partition, replicaFrom(undefined, 0, 0)]))
  const stopped: number[] = []
  const clients = { changelog: new FakeClient().client }
  const context = { clients, config: { changelogTopic: 'changelog' } } as unknown as StoreContext
  const reading = { stop: (partition: number) => void stopped.push(partition), continue: () => {}, emptied: () => {} }
  const handover = new ReplicaHandover(context, ends, reading)
  handover.expect([0, 1])
  let isRead = false
  const read = handover.readToMarkers([0, 1], ownership, 1)
  void read.then(() => (isRead = true))
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  expect(isRead).toBe(false)
  const batch = { ...own, nextOffset: 5, maxTimestamp: 0 } as unknown as RecordBatchReader
  ends.get(0)!.position = 5
  ends.get(0)!.ending!.note(batch)
  expect([...(await soon('one is read', read)).keys()]).toEqual([0])
  expect(stopped).toEqual([0])
})

test('a replica that reads a late batch before its marker is not written: it has to be read from the start', async () => {
  const { deliver, handover, reading } = await begin()
  await deliver(Buffer.concat([abort(2, 9n, 1), record(3, 12), abort(4)]), 5)
  expect([...(await soon('the marker is read', reading)).keys()]).toEqual([])
  expect(handover.isWarm(0)).toBe(false)
})
