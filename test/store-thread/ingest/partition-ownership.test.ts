/** Fencing partitions of the changelog again: the identity held is stated, so that only another instance can be refused. */
import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import type { RawRequest } from '../../../lib/kafka/connection/raw-request.ts'
import type { ProducerIdentity } from '../../../lib/kafka/transactional-id.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { PartitionOwnership } from '../../../lib/store-thread/ingest/partition-ownership.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { CoordinatorClient, FakeCoordinator, isSame } from '../../support/kafka/fakes/fake-coordinator.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

const control = 0x20
const transactional = 0x10
const abort = Buffer.from([0, 0, 0, 0])

/** The one partition of the changelog, with a batch of one record or a marker at each offset. */
class Changelog {
  readonly #coordinator: FakeCoordinator
  readonly #batches: Buffer[] = []
  #markers = 0

  constructor(coordinator: FakeCoordinator) {
    this.#coordinator = coordinator
  }

  write({ producerId, producerEpoch }: ProducerIdentity): void {
    this.#takeMarkers()
    this.#add({ producerId: BigInt(producerId), producerEpoch, records: [rawRecord({})] })
  }

  read(from: number): Buffer {
    this.#takeMarkers()
    return Buffer.concat(this.#batches.slice(from))
  }

  get end(): number {
    this.#takeMarkers()
    return this.#batches.length
  }

  #takeMarkers(): void {
    for (const { producerId, producerEpoch } of this.#coordinator.markers.slice(this.#markers)) {
      const records = [rawRecord({ key: abort })]
      this.#markers++
      this.#add({ producerId: BigInt(producerId), producerEpoch, attributes: control | transactional, records })
    }
  }

  #add(fields: Parameters<typeof rawBatch>[0]): void {
    this.#batches.push(rawBatch({ ...fields, baseOffset: BigInt(this.#batches.length) }))
  }
}

class ProducerClient extends CoordinatorClient {
  async leaders(): Promise<Map<number, number[]>> {
    return new Map([[1, [0]]])
  }

  override async call(...asked: Parameters<CoordinatorClient['call']>): Promise<unknown> {
    if (String(asked[1]) !== 'ListOffsets') return super.call(...asked)
    return { responses: [{ partitions: [{ partition: 0, errorCode: 0, offset: '0' }] }] }
  }
}

function setup() {
  const coordinator = new FakeCoordinator()
  const changelog = new Changelog(coordinator)
  const reader = {
    requestTimeoutMs: 1_000,
    leaders: async () => new Map([[1, [0]]]),
    leader: () => 1,
    retryForever: <T>(operation: () => Promise<T>) => operation(),
    send: async (_: number, request: RawRequest) => {
      const records = changelog.read(fetchPositions(request)[0]!.offset)
      return fetchResponse('changelog', [{ partition: 0, lastStableOffset: changelog.end, records }])
    },
  } as unknown as KafkaClient
  const config = { storeId: 'orders', changelogTopic: 'changelog', fencing: true } as StoreConfig
  const instance = () => {
    const clients = {
      producer: new ProducerClient(coordinator) as unknown as KafkaClient,
      changelog: reader,
    } as Clients
    return new PartitionOwnership(clients, config)
  }
  return { coordinator, changelog, instance }
}

test('PartitionOwnership keeps a partition that it takes again when no other instance has taken it', async () => {
  const { coordinator, changelog, instance } = setup()
  const ownership = instance()
  await ownership.acquire([0])
  const first = ownership.identity(0)!
  changelog.write(first)
  const renewed = await ownership.renew(0, changelog.end)
  expect(renewed).toEqual({ producerId: first.producerId, producerEpoch: first.producerEpoch + 1 })
  expect(ownership.identity(0)).toEqual(renewed)
  expect([first, renewed].map(ownership.isOwn(0))).toEqual([true, true])
  expect(isSame(coordinator.markers.at(-1), renewed)).toBe(true)
  expect(ownership.term(0)).toBe(changelog.end - 1)
})

test('PartitionOwnership takes no partition from another instance that has fenced it since', async () => {
  const { coordinator, changelog, instance } = setup()
  const [ownership, others] = [instance(), instance()]
  await ownership.acquire([0])
  const end = changelog.end
  await others.acquire([0])
  expect(await ownership.renew(0, end).catch((error: unknown) => error)).toMatchObject({ code: 'fenced' })
  expect(isSame(coordinator.markers.at(-1), others.identity(0)!)).toBe(true)
  expect(ownership.isOwn(0)(others.identity(0)!)).toBe(false)
})

test('PartitionOwnership writes nothing after another instance that the broker has forgotten', async () => {
  const { coordinator, changelog, instance } = setup()
  const [ownership, others] = [instance(), instance()]
  await ownership.acquire([0])
  const end = changelog.end
  await others.acquire([0])
  changelog.write(others.identity(0)!)
  coordinator.expire()
  expect(await ownership.renew(0, end).catch((error: unknown) => error)).toMatchObject({ code: 'fenced' })
})
