import { expect, test } from 'bun:test'
import { keptRoles, rolesOfLeft, rolesOfRemoved, wantedRoles } from '../../lib/elastic/wanted-roles.ts'
import { encodeAssignment } from '../../lib/group/consumer-protocol.ts'
import { readPlan } from '../../lib/group/read-plan.ts'
import { planned, planOf } from '../support/elastic/plans.ts'

const plan = planOf([
  { primary: 0, copies: [1] },
  { primary: 1, copies: [0], target: 0 },
  { primary: 1, copies: [0] },
  { primary: 1 },
])
const nothing = { primaries: [], replicas: [] }

test('standbys are read before what this instance is to be primary of, and commits have its identity', () => {
  const member = { memberId: 'member-0', generation: 7 }
  expect(wantedRoles(planned(plan).view, nothing)).toMatchObject({ primaries: [0], replicas: [2, 1], member })
})

test('store threads learn which partitions the plan knows to have keys that belong elsewhere', () => {
  const strange = planOf([{ primary: 0 }, { primary: 1, hasStrangers: true }])
  expect(wantedRoles(planned(strange).view, nothing).strangers).toEqual({ partitions: [1], isAlone: false })
})

test('partitions that the plan does not know keep their roles', () => {
  const held = { primaries: [3, 4], replicas: [0, 5] }
  const { primaries, replicas } = wantedRoles(planned(plan).view, held)
  expect([primaries, replicas]).toEqual([
    [0, 4],
    [2, 1, 5],
  ])
})

test('an instance that is not in the plan keeps nothing, and commits as no member', () => {
  const held = { primaries: [4], replicas: [0] }
  expect(wantedRoles(planned(plan, 'another').view, held)).toMatchObject({ primaries: [], replicas: [], member: null })
})

test('an instance that was removed is primary of nothing, and keeps its copies', () => {
  expect(rolesOfRemoved({ primaries: [1], replicas: [0] })).toEqual({ primaries: [], replicas: [1, 0], member: null })
})

test('an instance that has left is primary of nothing, unless no other member stays', () => {
  const held = { primaries: [0], replicas: [1] }
  const { view } = planned(plan)
  const wanted = wantedRoles(view, held)
  expect(rolesOfLeft(wanted, view, held)).toEqual(rolesOfRemoved(held))
  const members = view.plan.members.map((member) => ({ ...member, isLeaving: true as const }))
  const last = { ...view, plan: { ...view.plan, members } }
  expect(rolesOfLeft(wanted, last, held)).toEqual({ ...wanted, member: null, isLast: true })
})

test('a plan that cannot be read, such as one of a stranger, takes no copy out of memory', () => {
  const held = { primaries: [4], replicas: [0] }
  const own = { memberId: 'member-0', url: 'http://a:1' }
  const unread = readPlan({ group: 'orders', generation: 1 }, 'a token', own, Buffer.alloc(0))
  const strange = readPlan(
    { group: 'orders', generation: 1 },
    'a token',
    own,
    encodeAssignment('orders', [], Buffer.of(0)),
  )
  expect(wantedRoles(planned(strange).view, held)).toEqual({ primaries: [], replicas: [4, 0], member: null })
  // Also an empty one, which has no signature.
  expect(wantedRoles(planned(unread).view, held)).toEqual({ primaries: [], replicas: [4, 0], member: null })
})

test('while no plan can be read, primaries stay, nothing becomes primary, and copies are read on', () => {
  const member = { memberId: 'member-0', generation: 7 }
  const wanted = { primaries: [0, 1], replicas: [2], member }
  expect(keptRoles(wanted, { primaries: [0, 5], replicas: [1, 2] })).toEqual({
    primaries: [0],
    replicas: [1, 2],
    member,
  })
})
