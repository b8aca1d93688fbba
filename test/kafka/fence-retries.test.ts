/** Claims when requests or answers are lost: only another instance may end it. */
import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { fencePartition, isOwn, newClaim } from '../../lib/kafka/fence.ts'
import { errorAction } from '../../lib/kafka/protocol/error-codes.ts'
import type { Claim } from '../../lib/kafka/transactional-id.ts'
import {
  type Api,
  CoordinatorClient,
  FakeCoordinator,
  type Fault,
  isSame,
} from '../support/kafka/fakes/fake-coordinator.ts'
import { endless, turns } from '../support/kafka/fakes/leader-loops-setup.ts'

const apis: readonly Api[] = ['InitProducerId', 'AddPartitionsToTxn', 'EndTxn']
const losses: readonly Fault[][] = [[], ['request'], ['answer'], ['late'], ['answer', 'request']]
const everyLoss = losses.flatMap((init) => losses.flatMap((add) => losses.map((end) => [init, add, end] as const)))

async function owner(coordinator: FakeCoordinator): Promise<{ client: CoordinatorClient; claim: Claim }> {
  const client = new CoordinatorClient(coordinator)
  const claim = newClaim()
  await fencePartition(client.target, claim)
  return { client, claim }
}

function lose(client: CoordinatorClient, faults: readonly (readonly Fault[])[]): void {
  for (const [index, api] of apis.entries()) client.faults[api] = [...faults[index]!]
}

/** The owner's marker is the last one, and no request that is still under way takes that from it. */
async function expectHeld(coordinator: FakeCoordinator, client: CoordinatorClient, claim: Claim): Promise<void> {
  client.arriving = () => {}
  client.deliverLate()
  coordinator.timeOut()
  const again = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), again)).toBe(true)
}

test('fencePartition keeps a partition when requests and answers of any step are lost, and the id expires meanwhile', async () => {
  for (const faults of everyLoss) {
    for (const expiresBefore of [undefined, ...apis]) {
      const coordinator = new FakeCoordinator()
      const { client, claim } = await owner(coordinator)
      lose(client, faults)
      let requests = 0
      client.arriving = (api) => {
        // Where it is asked again.
        if (api === expiresBefore && ++requests === 2) coordinator.expire()
      }
      if (expiresBefore !== undefined) coordinator.expire()
      const identity = await fencePartition(client.target, claim)
      expect([faults, expiresBefore, isSame(coordinator.markers.at(-1), identity)]).toEqual([
        faults,
        expiresBefore,
        true,
      ])
      expect(isOwn(claim, identity)).toBe(true)
      await expectHeld(coordinator, client, claim)
    }
  }
})

test('fencePartition keeps a partition when the coordinator ends its transaction for it', async () => {
  for (const faults of everyLoss) {
    const coordinator = new FakeCoordinator()
    const { client, claim } = await owner(coordinator)
    lose(client, faults)
    let isDone = false
    client.arriving = (api) => {
      if (api !== 'EndTxn' || isDone) return
      isDone = true
      coordinator.timeOut()
    }
    const identity = await fencePartition(client.target, claim)
    expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
    await expectHeld(coordinator, client, claim)
  }
})

test('fencePartition takes a partition at first when requests and answers of any step are lost', async () => {
  for (const faults of everyLoss) {
    const coordinator = new FakeCoordinator()
    await owner(coordinator)
    const client = new CoordinatorClient(coordinator)
    const claim = newClaim()
    lose(client, faults)
    const identity = await fencePartition(client.target, claim)
    expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
    await expectHeld(coordinator, client, claim)
  }
})

test('fencePartition is refused, and fences no one, when another instance had taken the partition before', async () => {
  for (const faults of everyLoss) {
    const coordinator = new FakeCoordinator()
    const { client, claim } = await owner(coordinator)
    const other = await owner(coordinator)
    lose(client, faults)
    const refusal = await fencePartition(client.target, claim).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(LatchkeyError)
    expect(refusal).toMatchObject({ code: 'fenced' })
    await expectHeld(coordinator, other.client, other.claim)
  }
})

test('fencePartition leaves one owner when another instance takes the partition at any moment', async () => {
  for (const faults of everyLoss) {
    for (let moment = 0; moment < 8; moment++) {
      const coordinator = new FakeCoordinator()
      const { client, claim } = await owner(coordinator)
      const other = new CoordinatorClient(coordinator)
      const theirs = newClaim()
      lose(client, faults)
      let taking: Promise<unknown> | undefined
      let requests = 0
      client.arriving = () => {
        if (requests++ === moment) taking = fencePartition(other.target, theirs).catch((error: unknown) => error)
      }
      const kept = await fencePartition(client.target, claim).then(
        () => true,
        () => false,
      )
      await taking
      if (taking === undefined) continue
      // The last one to hold it is the only one that holds it when asked again.
      const again = await Promise.allSettled([
        fencePartition(client.target, claim),
        fencePartition(other.target, theirs),
      ])
      const holders = again.filter(({ status }) => status === 'fulfilled').length
      expect([moment, faults, kept, holders]).toEqual([moment, faults, kept, 1])
    }
  }
})

test('fencePartition is refused at once when its first request is', async () => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  // Another instance is about to write its marker.
  coordinator.initProducerId({ producerId: -1, producerEpoch: -1 })
  const refusal = await fencePartition(client.target, claim).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'fenced' })
})

/** Calls once, when the first request of a kind arrives. */
function onFirst(client: CoordinatorClient, api: Api, act: () => void): void {
  client.arriving = (arriving) => {
    if (arriving !== api) return
    client.arriving = () => {}
    act()
  }
}

test('fencePartition keeps a partition when the coordinator has ended its transaction and the marker is not there yet', async () => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  coordinator.isLagging = true
  onFirst(client, 'EndTxn', () => coordinator.timeOut())
  const identity = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
})

test('fencePartition leaves a marker when the coordinator has lost the transaction', async () => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  onFirst(client, 'EndTxn', () => coordinator.forgetTransaction())
  const identity = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
})

test('fencePartition keeps a partition when the coordinator has ended a transaction whose begin was never answered', async () => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  client.faults.AddPartitionsToTxn = ['answer']
  client.interrupted = async () => coordinator.timeOut()
  const identity = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
})

test('fencePartition keeps a partition when the tail with its own marker is lost, and an earlier marker is the last', async () => {
  const coordinator = new FakeCoordinator()
  await owner(coordinator)
  const { client, claim } = await owner(coordinator)
  coordinator.markers.pop()
  coordinator.isLagging = true
  onFirst(client, 'EndTxn', () => coordinator.timeOut())
  const identity = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
})

test('fencePartition keeps a partition when the id expires between two steps', async () => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  onFirst(client, 'AddPartitionsToTxn', () => coordinator.expire())
  const identity = await fencePartition(client.target, claim)
  expect(isSame(coordinator.markers.at(-1), identity)).toBe(true)
})

test('fencePartition is refused when another instance takes the partition before the end is repeated', async () => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  client.faults.EndTxn = ['answer']
  const other = new CoordinatorClient(coordinator)
  const theirs = newClaim()
  client.interrupted = async () => void (await fencePartition(other.target, theirs))
  const refusal = await fencePartition(client.target, claim).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'fenced' })
  await expectHeld(coordinator, other, theirs)
})

test.each([
  ['lost the transaction', (coordinator: FakeCoordinator) => coordinator.forgetTransaction()],
  ['ended the transaction', (coordinator: FakeCoordinator) => coordinator.timeOut()],
])('fencePartition pauses before it begins again when the coordinator has %s', async (_, act) => {
  const coordinator = new FakeCoordinator()
  const { client, claim } = await owner(coordinator)
  let rounds = 0
  client.retryPolicy = endless
  client.arriving = (api) => {
    if (api === 'EndTxn') act(coordinator)
    if (api === 'InitProducerId') rounds++
  }
  // It waits for longer than the test lasts.
  fencePartition(client.target, claim).catch(() => {})
  await turns()
  expect(rounds).toBe(1)
})

test('fencePartition reads the markers when the coordinator knows a later owner, and for no other error', async () => {
  const readsAfter: number[] = []
  for (let code = -1; code < 130; code++) {
    const action = errorAction(code)
    if (code === 0 || action === 'retry' || action === 'refresh') continue
    const { client, claim } = await owner(new FakeCoordinator())
    const { target } = client
    client.send = async () => {
      const response = Buffer.alloc(18)
      response.writeInt16BE(code, 5)
      return response
    }
    const markers = async (): Promise<never> => {
      readsAfter.push(code)
      throw new LatchkeyError('internal', 'markers were read')
    }
    await expect(fencePartition({ ...target, markers }, claim)).rejects.toThrow(LatchkeyError)
  }
  expect(readsAfter).toEqual([47, 49, 90])
})
