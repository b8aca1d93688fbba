import { expect, test } from 'bun:test'
import { randomBytes, randomUUID } from 'node:crypto'
import { assignmentData, encodeSubscription } from '../../lib/group/consumer-protocol.ts'
import { type GroupDecision, Leader } from '../../lib/group/leader.ts'
import { decodePlan, encodeMember } from '../../lib/group/member-data.ts'
import { hashSettings } from '../../lib/group/settings.ts'
import { budgetBytes, limitBytes, recordBytes } from '../../lib/group/sizes.ts'
import { GroupModel } from '../support/group/group-model.ts'
import { changesOf } from '../support/group/plan-changes.ts'
import { Random } from '../support/random.ts'

const group = 'orders'
const token = 'a token'
const options = { group, topic: 'orders', token, standbys: 1 }
const random = new Random(1)
const settings = hashSettings({ SOURCE_TOPIC: 'orders', PARTITIONER: 'murmur2', KEEP_HEADERS: 'x', FORMAT: 'json' })

/** Members as they are in a cluster: long ids and names. */
function fleet(members: number, partitions: number, urlLength = 0): GroupModel {
  const model = new GroupModel(partitions, () => 123_456_789)
  for (let index = 0; index < members; index++) {
    model.join({
      id: randomBytes(9).toString('base64url'),
      memberId: `latchkey-orders-${randomUUID()}`,
      url: `http://latchkey-${index}.latchkey.prod.svc.cluster.local:8080/${randomBytes(urlLength).toString('hex')}`,
      settings,
      rack: `zone-${index % 3}`,
    })
  }
  return model
}

function joinedOf(model: GroupModel): { memberId: string; metadata: Buffer }[] {
  return model.members.map((member) => {
    // Real positions differ, so that they cannot be compressed away.
    const held = member.held.map((one) => ({ ...one, position: 10 ** 9 + random.below(10 ** 9) }))
    return {
      memberId: member.memberId,
      metadata: encodeSubscription(['orders'], encodeMember(group, token, { ...member, held })),
    }
  })
}

function planOf(decision: GroupDecision, memberId: string) {
  return decodePlan(
    { group, generation: 7 },
    token,
    assignmentData(decision.assignments.get(memberId) ?? Buffer.alloc(0)),
  )
}

test('64 members and 1,000 partitions stay within the budget', () => {
  const model = fleet(64, 1_000)
  const leader = new Leader(options)
  let decision = leader.decide(joinedOf(model), 7, 0)
  expect(decision.settlesInMs).toBe(3_000)
  for (let round = 0; round < 3; round++) {
    decision = leader.decide(joinedOf(model), 7, 3_000 + round)
    model.carryOut(decision.plan)
  }
  const joined = joinedOf(model)
  decision = leader.decide(joined, 7, 10_000)
  expect(recordBytes(joined, decision.assignments)).toBeLessThan(budgetBytes)
  expect(planOf(decision, joined[0]!.memberId).value).toEqual(decision.plan)
})

test('beyond the budget each member gets its own copies only, and does the same as with the whole plan', () => {
  const model = fleet(64, 3_000)
  const leader = new Leader(options)
  leader.decide(joinedOf(model), 7, 0)
  model.carryOut(leader.decide(joinedOf(model), 7, 3_000).plan)
  const joined = joinedOf(model)
  const decision = leader.decide(joined, 7, 10_000)
  expect(recordBytes(joined, decision.assignments)).toBeGreaterThan(budgetBytes / 2)
  for (const { memberId, held } of model.members) {
    const { value } = planOf(decision, memberId)
    expect(value).toBeDefined()
    if (value === undefined) continue
    expect(value.routes).not.toEqual(decision.plan.routes)
    expect(changesOf(value, memberId, held)).toEqual(changesOf(decision.plan, memberId, held))
  }
})

test('beyond the limit the newest members get nothing, and all others have all partitions', () => {
  const model = fleet(200, 300, 40)
  const leader = new Leader(options)
  leader.decide(joinedOf(model), 7, 0)
  const joined = joinedOf(model)
  const decision = leader.decide(joined, 7, 3_000)
  expect(recordBytes(joined, decision.assignments)).toBeLessThan(limitBytes)
  expect(decision.plan.routes.every(({ primary }) => primary >= 0)).toBe(true)
  expect(decision.plan.excluded.length).toBeGreaterThan(0)
  const newest = model.members.at(-1)!
  expect(decision.plan.excluded.map(({ memberId }) => memberId)).toContain(newest.memberId)
  expect(planOf(decision, newest.memberId).value?.excluded[0]?.reason).toContain('more members than its coordinator')
  expect(planOf(decision, model.members[0]!.memberId).value).toBeDefined()
})
