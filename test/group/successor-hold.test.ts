import { expect, test } from 'bun:test'
import type { GroupPlan } from '../../lib/group-protocol/member.ts'
import { SuccessorHold } from '../../lib/group/successor-hold.ts'
import { planOf } from '../support/elastic/plans.ts'

/** @param primaries member ids by partition */
function plan(memberIds: readonly string[], primaries: readonly string[]): GroupPlan {
  const routes = primaries.map((primary) => ({ primary: memberIds.indexOf(primary) }))
  return planOf(routes, {
    members: memberIds.map((memberId) => ({ memberId, id: memberId, url: `http://${memberId}` })),
  })
}

const none = Number.NEGATIVE_INFINITY

test('the successor of a member that is not in the group any more waits, and that of a member that is there does not', () => {
  const hold = new SuccessorHold(1_000)
  hold.planned(plan(['a', 'b', 'c'], ['b', 'c']), 'a', 0)
  expect(hold.planned(plan(['a', 'b', 'c'], ['a', 'c']), 'a', 5_000)).toBe(none)
  expect(hold.planned(plan(['a', 'b'], ['a', 'b']), 'a', 6_000)).toBe(none)
  expect(hold.planned(plan(['a'], ['a', 'a']), 'a', 7_000)).toBe(8_000)
})

test('a member that takes the partition from the successor within this time waits for the rest of it', () => {
  const hold = new SuccessorHold(1_000)
  hold.planned(plan(['a', 'b', 'c'], ['c']), 'a', 0)
  expect(hold.planned(plan(['a', 'b'], ['b']), 'a', 5_000)).toBe(none)
  expect(hold.planned(plan(['a', 'b'], ['a']), 'a', 5_900)).toBe(6_000)
  expect(hold.planned(plan(['a', 'b'], ['a']), 'a', 6_000)).toBe(none)
})

test('a partition without any primary in between is one of a member that is not there any more', () => {
  const hold = new SuccessorHold(1_000)
  hold.planned(plan(['a', 'c'], ['c']), 'a', 0)
  hold.planned(plan(['a'], ['']), 'a', 5_000)
  expect(hold.planned(plan(['a'], ['a']), 'a', 5_500)).toBe(6_000)
})

test('a member waits after its first plan, and after one that has excluded it, since it does not know who was there', () => {
  const hold = new SuccessorHold(1_000)
  expect(hold.planned(plan(['a', 'b'], ['a', 'b']), 'a', 0)).toBe(1_000)
  expect(hold.planned(plan(['a', 'b'], ['a', 'b']), 'a', 5_000)).toBe(none)
  hold.planned(plan([], []), 'a', 6_000)
  expect(hold.planned(plan(['a', 'b'], ['b', 'a']), 'a', 7_000)).toBe(8_000)
})
