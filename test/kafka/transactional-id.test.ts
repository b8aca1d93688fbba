import { expect, test } from 'bun:test'
import { fencePartition, newClaim } from '../../lib/kafka/fence.ts'
import { type Api, CoordinatorClient, FakeCoordinator, isSame } from '../support/kafka/fakes/fake-coordinator.ts'

const notCoordinator = 16

/** Its coordinator has moved, and answers so until it is forgotten. */
class MovedClient extends CoordinatorClient {
  readonly moved: Api
  #isForgotten = false

  constructor(coordinator: FakeCoordinator, moved: Api) {
    super(coordinator)
    this.moved = moved
  }

  override forgetCoordinator(): void {
    this.#isForgotten = true
  }

  override send(...asked: Parameters<CoordinatorClient['send']>): Promise<Buffer> {
    if (!this.#isMoved('InitProducerId')) return super.send(...asked)
    const response = Buffer.alloc(18)
    response.writeInt16BE(notCoordinator, 5)
    return Promise.resolve(response)
  }

  override async call(...asked: Parameters<CoordinatorClient['call']>): Promise<unknown> {
    const [, api] = asked
    if (!this.#isMoved(api)) return super.call(...asked)
    if (api === 'EndTxn') return { errorCode: notCoordinator }
    return { errors: [{ partitionErrors: [{ errorCode: notCoordinator }] }] }
  }

  #isMoved(api: Api): boolean {
    if (++this.requests > 100) throw new Error('it asks without end')
    return api === this.moved && !this.#isForgotten
  }
}

test.each<Api>(['InitProducerId', 'AddPartitionsToTxn', 'EndTxn'])(
  'fencePartition looks for the coordinator again when it has moved before %s',
  async (api) => {
    const coordinator = new FakeCoordinator()
    const identity = await fencePartition(new MovedClient(coordinator, api).target, newClaim())
    expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
  },
)

test('fencePartition keeps a partition that was granted though the coordinator said otherwise', async () => {
  const requestTimedOut = 7
  class DoubtfulClient extends CoordinatorClient {
    isDoubtful = false

    override async send(...asked: Parameters<CoordinatorClient['send']>): Promise<Buffer> {
      const granted = await super.send(...asked)
      if (this.isDoubtful) granted.writeInt16BE(requestTimedOut, 5)
      this.isDoubtful = false
      return granted
    }
  }
  const coordinator = new FakeCoordinator()
  const client = new DoubtfulClient(coordinator)
  const claim = newClaim()
  await fencePartition(client.target, claim)
  coordinator.expire()
  client.isDoubtful = true
  const identity = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
})
