import { expect, test } from 'bun:test'
import type { GroupPlan, Holding, Route } from '../../lib/group-protocol/member.ts'
import { awaited, hasHandedOver, isStep } from '../../lib/group/plan.ts'
import { planOf } from '../support/elastic/plans.ts'
import { newHolding } from '../support/group/group-model.ts'
import { changesOf } from '../support/group/plan-changes.ts'

const members = ['a', 'b', 'c'].map((memberId) => ({ memberId, id: memberId, url: `http://${memberId}` }))

function plan(...routes: Partial<Route>[]): GroupPlan {
  return planOf(routes, { members })
}

function held(partition: number, flags: Partial<Holding> = {}): Holding {
  return { ...newHolding(partition), ...flags }
}

const nothing = { promote: [], demote: [], fill: [], drop: [] }

test('a plan that says what a member does already changes nothing', () => {
  const now = [held(0, { isPrimary: true, isReady: true }), held(1, { isReady: true }), held(2)]
  expect(
    changesOf(plan({ primary: 0 }, { primary: 1, copies: [0] }, { primary: 1, copies: [0], target: 0 }), 'a', now),
  ).toEqual(nothing)
})

test('partitions are filled in the order of their urgency', () => {
  const wanted = plan({ primary: 1, copies: [0], target: 0 }, { primary: 1, copies: [0, 2] }, { primary: 0 }, {})
  expect(changesOf(wanted, 'a', [])).toEqual({ ...nothing, fill: [2, 1, 0], promote: [2] })
})

test('a copy becomes the primary, a primary a copy, and what is not planned is dropped', () => {
  const wanted = plan({ primary: 0 }, { primary: 1, copies: [0] }, { primary: 1 }, { primary: 1, copies: [2] })
  const now = [held(0, { isReady: true }), held(1, { isPrimary: true }), held(2, { isPrimary: true }), held(3)]
  expect(changesOf(wanted, 'a', now)).toEqual({ promote: [0], demote: [1, 2], fill: [], drop: [2, 3] })
})

test('a promotion continues where the plan has it, and ends where the plan has another primary', () => {
  const now = [held(0, { isPromoting: true, isPrimary: true }), held(1, { isPromoting: true })]
  expect(changesOf(plan({ primary: 0 }, { primary: 1, copies: [0] }), 'a', now)).toEqual({ ...nothing, demote: [1] })
})

test('a member that the plan does not have keeps nothing', () => {
  const now = [held(0, { isPrimary: true }), held(1)]
  expect(changesOf(plan({ primary: 1 }), 'x', now)).toEqual({ ...nothing, demote: [0], drop: [0, 1] })
})

test('a partition that the plan does not know stays: the topic has grown since', () => {
  expect(changesOf(plan({ primary: 0 }), 'a', [held(0, { isPrimary: true }), held(1)])).toEqual(nothing)
})

test('another plan is wanted when the next primary is ready, or a primary is complete', () => {
  const waiting = plan({ primary: 1, copies: [0], target: 0 }, { primary: 0 }, { primary: 0, isComplete: true })
  const reason = (memberId: string, holding: Holding) => awaited(waiting, memberId, [holding], [])
  expect(reason('a', held(0))).toBeUndefined()
  expect(reason('a', held(0, { isReady: true }))).toBe('ready')
  expect(reason('c', held(0, { isReady: true }))).toBeUndefined()
  expect(reason('x', held(0, { isReady: true }))).toBeUndefined()
  const primary = { isReady: true, isPrimary: true }
  expect(reason('a', held(1, primary))).toBeUndefined()
  expect(reason('a', held(1, { ...primary, isComplete: true }))).toBe('ready')
  expect(reason('a', held(2, { ...primary, isComplete: true }))).toBeUndefined()
})

test('another plan is wanted when a primary reads no further before it is complete, once', () => {
  const stalled = held(0, { isReady: true, isPrimary: true, isStalled: true })
  expect(awaited(plan({ primary: 0 }), 'a', [stalled], [])).toBe('ready')
  expect(awaited(plan({ primary: 0, isStalled: true }), 'a', [stalled], [])).toBeUndefined()
  expect(awaited(plan({ primary: 0, isComplete: true }), 'a', [stalled], [])).toBeUndefined()
  expect(awaited(plan({ primary: 1, copies: [0] }), 'a', [stalled], [])).toBeUndefined()
})

test('another plan is wanted when a copy is ready for which others are kept, once', () => {
  const retaining = plan({ primary: 1, copies: [2, 0], isRetaining: true }, { primary: 1, copies: [0] })
  const ready = held(0, { isReady: true })
  expect(awaited(retaining, 'a', [held(0)], [])).toBeUndefined()
  expect(awaited(retaining, 'a', [ready], [])).toBe('ready')
  expect(awaited(retaining, 'a', [ready], [held(0)])).toBe('ready')
  expect(awaited(retaining, 'a', [ready], [ready])).toBeUndefined()
  expect(awaited(retaining, 'a', [held(1, { isReady: true })], [])).toBeUndefined()
})

test('another plan is wanted when the promotion of a partition has ended that another member shall have', () => {
  const promoted = plan({ primary: 0, copies: [1], target: 1 }, { primary: 0, copies: [1] })
  const [before, now] = [
    { isReady: true, isPromoting: true },
    { isReady: true, isPrimary: true },
  ]
  expect(awaited(promoted, 'a', [held(0, before)], [held(0, before)])).toBeUndefined()
  expect(awaited(promoted, 'a', [held(0, now)], [held(0, before)])).toBe('ready')
  expect(awaited(promoted, 'a', [held(0, now)], [held(0, now)])).toBeUndefined()
  expect(awaited(promoted, 'a', [held(1, now)], [held(1, before)])).toBeUndefined()
})

test('another plan is wanted when a member finds keys that the plan does not know to be elsewhere', () => {
  const strange = plan({ primary: 1, copies: [0] }, { primary: 1, copies: [0], hasStrangers: true })
  expect(awaited(strange, 'a', [held(0, { hasStrangers: true })], [])).toBe('strangers')
  expect(awaited(strange, 'a', [held(1, { hasStrangers: true })], [])).toBeUndefined()
})

test('a member that leaves waits for others to take its primaries, unless they all leave, too', () => {
  const claims = [held(0, { isPrimary: true }), held(1, { isReady: true })]
  const of = (leaving: readonly string[], known = members): GroupPlan => ({
    ...plan({ primary: 0 }),
    members: known.map((member) => (leaving.includes(member.memberId) ? { ...member, isLeaving: true } : member)),
  })
  expect(hasHandedOver(of(['a']), 'a', claims)).toBe(false)
  expect(hasHandedOver(of(['a', 'b']), 'a', claims)).toBe(false)
  expect(hasHandedOver(of(['a']), 'a', [held(0, { isPromoting: true })])).toBe(false)
  expect(hasHandedOver(of(['a']), 'a', [held(0, { isReady: true })])).toBe(true)
  expect(hasHandedOver(of(['a', 'b', 'c']), 'a', claims)).toBe(true)
  expect(hasHandedOver(of(['a'], members.slice(0, 1)), 'a', claims)).toBe(true)
  expect(hasHandedOver(undefined, 'a', claims)).toBe(true)
})

test('a plan is a step while partitions have no primary or are to move, copies are kept, or a member leaves', () => {
  expect(isStep(plan({ primary: 0, copies: [1] }, { primary: 1 }))).toBe(false)
  const steps = [{ primary: -1 }, { primary: 0, copies: [1], target: 1 }, { primary: 0, isRetaining: true }]
  for (const route of steps) expect(isStep(plan({ primary: 0 }, route))).toBe(true)
  const leaving = [...members, { memberId: 'd', id: 'd', url: 'http://d', isLeaving: true as const }]
  expect(isStep(planOf([{ primary: 0 }], { members: leaving }))).toBe(true)
})
