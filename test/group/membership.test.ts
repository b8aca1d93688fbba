import { afterEach, expect, test } from 'bun:test'
import { AssignerProtocol } from 'kafkajs'
import { encodeSubscription, subscriptionData } from '../../lib/group/consumer-protocol.ts'
import { describeGroup } from '../../lib/kafka/described-group.ts'
import { joinGroup } from '../../lib/kafka/group-requests.ts'
import { commitOffsets, type CommittingMember, fetchCommitted } from '../../lib/kafka/offsets.ts'
import { TestMember } from '../support/group/test-member.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const topic = 'orders'

async function member(group: string, report: string, protocols?: string[]): Promise<TestMember> {
  const one = new TestMember(await realClient(), group, report, protocols)
  closing.push(() => one.leave())
  return one
}

test('members get one plan from their leader, a new one when a member asks, and another when one leaves', async () => {
  const group = uniqueName('group')
  const first = await member(group, 'a')
  await first.has('a latchkey-1')
  expect(first.last).toMatchObject({ isLeader: true })
  const second = await member(group, 'b')
  await Promise.all([first, second].map((one) => one.has('a latchkey-1,b latchkey-1')))
  expect([first.last!.isLeader, second.last!.isLeader]).toEqual([true, false])
  expect(second.last!.generation).toBe(first.last!.generation)
  const ids = [first.last!.memberId, second.last!.memberId]

  second.report = 'c'
  second.membership.rejoin()
  await Promise.all([first, second].map((one) => one.has('a latchkey-1,c latchkey-1')))
  expect([first.last!.memberId, second.last!.memberId]).toEqual(ids)

  const admin = kafkaClient(await sharedKafka()).admin()
  closing.push(() => admin.disconnect())
  const { groups } = await admin.describeGroups([group])
  expect(groups[0]).toMatchObject({ protocolType: 'consumer', protocol: 'latchkey-1', state: 'Stable' })
  const found = await describeGroup(first.client, group)
  expect(found).toMatchObject({ protocolType: 'consumer', protocol: 'latchkey-1', state: 'Stable' })
  expect(found.members.map(({ metadata }) => subscriptionData(metadata).toString()).toSorted()).toEqual([
    'a latchkey-1',
    'c latchkey-1',
  ])
  const shown = groups[0]!.members.map(
    (one) => AssignerProtocol.MemberAssignment.decode(one.memberAssignment)!.assignment,
  )
  expect(shown.toSorted((a, b) => a[topic]![0]! - b[topic]![0]!)).toEqual([{ [topic]: [0] }, { [topic]: [1] }])

  await second.membership.leave()
  await first.has('a latchkey-1')
  expect([first.removals, second.removals, second.membership.state]).toEqual([0, 0, 'left'])
}, 60_000)

test('a member that another one expels joins again under a new id, and learns of it', async () => {
  const group = uniqueName('group')
  const first = await member(group, 'a')
  const second = await member(group, 'b')
  await Promise.all([first, second].map((one) => one.has('a latchkey-1,b latchkey-1')))
  const former = second.last!.memberId
  await first.membership.expel(former)
  await until('the expelled member has another id', () => second.last!.memberId !== former)
  expect(second.removals).toBe(1)
  await Promise.all([first, second].map((one) => one.has('a latchkey-1,b latchkey-1')))
  const unknown = await first.membership.expel(former).catch((error: unknown) => error)
  expect(unknown).toMatchObject({ details: { brokerCode: 25 } })
}, 60_000)

test('heartbeats are answered while JoinGroup waits for a silent member', async () => {
  const group = uniqueName('group')
  const first = await member(group, 'a')
  await first.has('a latchkey-1')
  const silent = await realClient()
  closing.push(async () => silent.close())
  const protocols = [{ name: 'latchkey-1', metadata: encodeSubscription([topic], Buffer.from('silent')) }]
  const request = { group, memberId: '', protocols, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000 }
  // It joins and gets its generation, and is silent from then on.
  await joinGroup(silent, request, () => {})
  await until('the plan with the silent member', () => first.last!.data === 'a latchkey-1,silent')
  first.membership.rejoin()
  await until('the join waits', () => first.membership.state === 'joining')
  const before = first.answered
  const { identity } = first.membership
  await until('heartbeats are answered meanwhile', () => first.answered > before + 5)
  expect(first.membership.state).toBe('joining')
  expect(first.membership.identity).toEqual(identity)
  await first.has('a latchkey-1')
  expect(first.removals).toBe(0)
}, 60_000)

test('the coordinator chooses a version that all members have', async () => {
  const group = uniqueName('group')
  const first = await member(group, 'a', ['latchkey-2', 'latchkey-1'])
  await first.has('a latchkey-2')
  const second = await member(group, 'b')
  await Promise.all([first, second].map((one) => one.has('a latchkey-1,b latchkey-1')))
}, 60_000)

test('a member of another protocol stays out and says so, and the group does not notice', async () => {
  const group = uniqueName('group')
  const first = await member(group, 'a')
  await first.has('a latchkey-1')
  const other = await member(group, 'b', ['range'])
  await until(
    'the trouble is named',
    () => other.client.health.trouble?.includes('INCONSISTENT_GROUP_PROTOCOL') === true,
  )
  expect(other.client.health.trouble).toContain(`the members of group ${group} are other consumers or other versions`)
  expect([first.assignments.length, first.removals]).toEqual([1, 0])
}, 60_000)

test('a leader that cannot plan leaves in the end, so that another member leads, and the plan before stays in force', async () => {
  const group = uniqueName('group')
  const first = await member(group, 'a')
  await first.has('a latchkey-1')
  first.fault = new Error('a defect')
  const second = await member(group, 'b')
  await until('it leaves', () => first.resignations === 1)
  expect([first.assignments.length, second.assignments.length]).toEqual([1, 0])
  expect(first.faults).toBe(2)
  await Promise.all([first, second].map((one) => one.has('a latchkey-1,b latchkey-1')))
  expect([first.resignations, first.removals]).toEqual([1, 0])
  expect([first, second].map((one) => one.last!.isLeader)).toEqual([false, true])
}, 60_000)

test('a member that is alone repeats a plan that fails, and stays a member', async () => {
  const first = await member(uniqueName('group'), 'a')
  await first.has('a latchkey-1')
  first.fault = new Error('a defect')
  first.membership.rejoin()
  await until('several failures', () => first.client.health.failures > 3)
  expect([first.resignations, first.removals]).toEqual([0, 0])
  first.fault = undefined
  await until('another plan', () => first.assignments.length > 1)
  expect(first.last!.memberId).toBe(first.assignments[0]!.memberId)
}, 60_000)

test('a commit states the generation: one of a former generation, and one of a removed member, is refused', async () => {
  const group = uniqueName('group')
  const topicName = await createTopic(await sharedKafka(), uniqueName('commits'))
  const first = await member(group, 'a')
  await first.has('a latchkey-1')
  const former = first.membership.identity!
  const commit = (offset: number, committer?: CommittingMember) => {
    const offsets = new Map([[0, { offset, metadata: '' }]])
    return commitOffsets(first.client, group, topicName, offsets, undefined, committer).catch((error: unknown) => error)
  }
  expect(await commit(1, former)).toBeUndefined()
  first.membership.rejoin()
  await until('another generation', () => first.last!.generation > former.generation)
  expect(await commit(2, former)).toMatchObject({ details: { brokerCode: 22 } })
  expect(await commit(3)).toMatchObject({ details: { brokerCode: 25 } })
  expect(await commit(4, first.membership.identity)).toBeUndefined()
  await first.membership.leave()
  // It may succeed under another identity, which the next plan brings.
  const removed = { code: 'broker_error', details: { brokerCode: 25 } }
  expect(await commit(5, { ...former, generation: first.last!.generation })).toMatchObject(removed)
  expect(await fetchCommitted(first.client, group, topicName, [0])).toEqual(new Map([[0, { offset: 4, metadata: '' }]]))
}, 60_000)

test('a store whose partitions are set by hand does not start to write beside members, and does once they have left', async () => {
  await using fixture = await Fixture.create()
  const first = await member(fixture.storeId, 'a')
  await first.has('a latchkey-1')
  const refused = fixture.openLogged()
  await until('it is refused', () => refused.status().state === 'failed')
  expect(refused.status().reason).toContain(`1 member of group ${fixture.storeId}`)
  expect(refused.status().reason).toContain('Set ELASTIC=true here as well')
  const replica = fixture.openLogged({ useReplicaOnly: true, sourceTopic: '' })
  await until('a replica is not', () => replica.status().state !== 'starting')
  await first.leave()
  await fixture.startAndStop()
}, 60_000)
