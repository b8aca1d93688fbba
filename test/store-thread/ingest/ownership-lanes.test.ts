/** Which connections take the partitions at start. */
import { expect, test } from 'bun:test'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import type { Purpose } from '../../../lib/kafka/connection/overdue.ts'
import type { RawRequest } from '../../../lib/kafka/connection/raw-request.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import { PartitionOwnership } from '../../../lib/store-thread/ingest/partition-ownership.ts'
import type { Clients } from '../../../lib/topics/clients.ts'
import { CoordinatorClient, FakeCoordinator } from '../../support/kafka/fakes/fake-coordinator.ts'

/** One coordinator for each transactional id, of which the test sees the lanes of the requests. */
class LanesClient {
  readonly requests: { api: string; id: string; lane: number }[] = []
  closed = 0
  readonly #owners = new Map<string, CoordinatorClient>()

  async leaders(_: string, partitions: readonly number[]): Promise<Map<number, readonly number[]>> {
    return new Map([[1, partitions]])
  }

  retryPolicy = () => this.#ownerOf('').retryPolicy()
  coordinator = async () => 1

  retryForever<T>(operation: () => Promise<T>): Promise<T> {
    return operation()
  }

  async send(node: number, request: RawRequest, _timeoutMs: number, { lane = 0 }: Purpose = {}): Promise<Buffer> {
    const { buffer } = request.encode() as unknown as { buffer: Buffer }
    const id = buffer.toString('latin1', 2, 1 + buffer[1]!)
    this.requests.push({ api: request.apiName, id, lane })
    return this.#ownerOf(id).send(node, request)
  }

  async call(
    node: number,
    api: 'AddPartitionsToTxn' | 'EndTxn',
    version: number,
    args: Record<string, unknown>,
    { lane = 0 }: Purpose = {},
  ): Promise<unknown> {
    if (String(api) === 'ListOffsets') {
      const [{ partitions }] = args['topics'] as [{ partitions: { partition: number }[] }]
      return { responses: [{ partitions: partitions.map((one) => ({ ...one, errorCode: 0, offset: '0' })) }] }
    }
    const id = String(args['transactionalId'])
    this.requests.push({ api, id, lane })
    return this.#ownerOf(id).call(node, api, version, args)
  }

  closeLanes(): void {
    this.closed++
  }

  #ownerOf(id: string): CoordinatorClient {
    const owner = this.#owners.get(id) ?? new CoordinatorClient(new FakeCoordinator())
    this.#owners.set(id, owner)
    return owner
  }
}

async function acquire(partitions: number): Promise<LanesClient> {
  const producer = new LanesClient()
  const clients = { producer: producer as unknown as KafkaClient } as Clients
  const config = { storeId: 'orders', changelogTopic: 'changelog', fencing: true } as StoreConfig
  const ownership = new PartitionOwnership(clients, config)
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  await ownership.acquire(all)
  expect(all.filter((partition) => ownership.identity(partition) === undefined)).toEqual([])
  return producer
}

test('500 partitions are taken over four connections to each coordinator, in equal parts', async () => {
  const { requests, closed } = await acquire(500)
  for (const api of ['InitProducerId', 'AddPartitionsToTxn', 'EndTxn']) {
    const lanes = Map.groupBy(
      requests.filter((one) => one.api === api),
      ({ lane }) => lane,
    )
    expect([...lanes].map(([lane, ones]) => [lane, ones.length])).toEqual([0, 1, 2, 3].map((lane) => [lane, 125]))
  }
  // The broker keeps the order of the requests of a connection, so those of one partition use the same.
  const ofIds = Map.groupBy(requests, ({ id }) => id)
  expect([...ofIds.values()].filter((ones) => new Set(ones.map(({ lane }) => lane)).size > 1)).toEqual([])
  expect(ofIds.size).toBe(500)
  expect(closed).toBe(1)
})

test.each([
  [4, 1],
  [32, 1],
  [33, 2],
  [64, 2],
  [1_000, 4],
])('%d partitions are taken over %d connections', async (partitions, lanes) => {
  const { requests } = await acquire(partitions)
  expect(new Set(requests.map(({ lane }) => lane)).size).toBe(lanes)
})
