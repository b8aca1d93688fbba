import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { CommittedBatches } from '../../lib/kafka/committed-batches.ts'
import { fencePartition, newClaim } from '../../lib/kafka/fence.ts'
import { fetchRequest, parseFetchResponse } from '../../lib/kafka/protocol/fetch.ts'
import { parseProduceResponse, produceRequest } from '../../lib/kafka/protocol/produce.ts'
import { plainProducerId, type ProducerIdentity } from '../../lib/kafka/transactional-id.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { encode, sample } from '../support/kafka/record-batch/samples.ts'

let client: KafkaClient
let topic: string
beforeAll(async () => {
  client = await realClient()
  topic = await createTopic(await sharedKafka(), uniqueName('fence'), { partitions: 8 })
})
afterAll(() => client.close())

function take(id: string, partition: number, claim = newClaim()): Promise<ProducerIdentity> {
  const markers = () => markersOf(partition)
  return fencePartition({ client, transactionalId: id, topic, partition, markers }, claim)
}

/** Of all that have taken a partition, in the order of the log. */
async function markersOf(partition: number): Promise<ProducerIdentity[]> {
  const found: ProducerIdentity[] = []
  const batches = new CommittedBatches()
  const options = { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, partitionMaxBytes: 1 << 20, rack: '' }
  await client.leaders(topic, [partition])
  const request = fetchRequest(topic, [{ partition, offset: 0 }], { ...options, isolation: 'read_uncommitted' })
  const response = await client.send(client.leader(topic, partition)!, request, 30_000)
  batches.open(parseFetchResponse(response).partitions[0]!, 0)
  for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
    const { producerId, producerEpoch } = batches.batch
    if (kind === 'control') found.push({ producerId, producerEpoch })
  }
  return found
}

/** Writes one record; resolves with the broker's error code. */
async function write(
  partition: number,
  identity: ProducerIdentity,
  baseSequence: number,
  value = 'v',
): Promise<number> {
  const bytes = encode([sample('key', value)], { ...identity, baseSequence })
  await client.leaders(topic, [partition])
  const node = client.leader(topic, partition)!
  const response = await client.send(node, produceRequest(topic, [{ partition, bytes }], -1, 10_000), 30_000)
  return parseProduceResponse(response)[0]!.errorCode
}

/** Kinds of the batches of a partition, from its start to where `until` is among them. */
async function kinds(partition: number, until: string): Promise<string[]> {
  const seen: string[] = []
  const batches = new CommittedBatches()
  const options = { maxWaitMs: 100, minBytes: 1, maxBytes: 1 << 20, partitionMaxBytes: 1 << 20, rack: '' }
  await client.leaders(topic, [partition])
  for (let offset = 0; !seen.includes(until);) {
    const request = fetchRequest(topic, [{ partition, offset }], { ...options, isolation: 'read_committed' })
    const response = await client.send(client.leader(topic, partition)!, request, 30_000)
    const fetched = parseFetchResponse(response).partitions[0]!
    expect(fetched.errorCode).toBe(0)
    batches.open(fetched, offset)
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      seen.push(`${kind} ${batches.batch.producerEpoch}`)
      offset = batches.batch.nextOffset
    }
  }
  return seen
}

test('fencePartition returns the same producer id with a higher epoch when a partition is taken again', async () => {
  const id = uniqueName('id')
  const first = await take(id, 0)
  const second = await take(id, 0)
  expect(second.producerId).toBe(first.producerId)
  expect(second.producerEpoch).toBeGreaterThan(first.producerEpoch)
})

test('fencePartition leaves a marker with the new epoch, and no record, where a partition is taken', async () => {
  const id = uniqueName('id')
  const first = await take(id, 1)
  await write(1, first, 0)
  const second = await take(id, 1)
  expect(await kinds(1, `control ${second.producerEpoch}`)).toEqual([
    `control ${first.producerEpoch}`,
    `records ${first.producerEpoch}`,
    `control ${second.producerEpoch}`,
  ])
})

test('the broker refuses a former owner, however late, and no other partition, when a partition was taken', async () => {
  const id = uniqueName('id')
  const first = await take(id, 2)
  expect(await write(2, first, 0)).toBe(0)
  const second = await take(id, 2)
  await kinds(2, `control ${second.producerEpoch}`)
  expect(await write(2, first, 1)).toBe(47)
  expect(await write(2, second, 0)).toBe(0)
  expect(await write(2, first, 1)).toBe(47)
  expect(await write(3, first, 0)).toBe(0)
})

test('the broker keeps a repeated batch once when its sequence is the same', async () => {
  const identity = await take(uniqueName('id'), 4)
  expect(await write(4, identity, 0)).toBe(0)
  expect(await write(4, identity, 0)).toBe(0)
  expect(await write(4, identity, 1, 'last')).toBe(0)
  expect((await kinds(4, `control ${identity.producerEpoch}`)).length).toBe(3)
})

test('fencePartition takes a partition again when it is still held', async () => {
  const id = uniqueName('id')
  const claim = newClaim()
  const first = await take(id, 5, claim)
  const renewed = await take(id, 5, claim)
  expect(renewed.producerEpoch).toBeGreaterThan(first.producerEpoch)
  expect(await take(id, 5, claim)).toMatchObject({ producerId: first.producerId })
})

test('fencePartition fails as fenced when another has taken the partition since', async () => {
  const id = uniqueName('id')
  const claim = newClaim()
  await take(id, 6, claim)
  await take(id, 6)
  await take(id, 6)
  expect(await take(id, 6, claim).catch((error: unknown) => error)).toMatchObject({ code: 'fenced', retriable: false })
})

test('plainProducerId returns another id each time', async () => {
  const [one, other] = await Promise.all([plainProducerId(client), plainProducerId(client)])
  expect(one.producerId).not.toBe(other.producerId)
  expect(await write(7, one, 0)).toBe(0)
})
