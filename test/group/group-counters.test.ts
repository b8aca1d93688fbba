import { expect, test } from 'bun:test'
import type { GroupPlan } from '../../lib/group-protocol/member.ts'
import { GroupCounters } from '../../lib/group/group-counters.ts'
import { planOf } from '../support/elastic/plans.ts'

/** @param members memberId to id */
function plan(members: Record<string, string>, primaries: readonly string[]): GroupPlan {
  const memberIds = Object.keys(members)
  const routes = primaries.map((primary) => ({ primary: memberIds.indexOf(primary) }))
  return planOf(routes, {
    members: memberIds.map((memberId) => ({ memberId, id: members[memberId]!, url: `http://${memberId}` })),
  })
}

test('each plan counts under what this member had asked it for, or as that of another member', () => {
  const counters = new GroupCounters()
  counters.planned(plan({ m1: 'a' }, []), 'm1')
  counters.planned(plan({ m1: 'a' }, []), 'm1')
  counters.asked('ready')
  counters.planned(plan({ m1: 'a' }, []), 'm1')
  counters.asked('removed')
  counters.planned(plan({ m2: 'a' }, []), 'm2')
  expect(counters.figures.rebalances).toMatchObject({ joined: 1, other: 1, ready: 1, removed: 1, lost: 0 })
})

test('a partition that comes from another instance is a move, and one that returns under another member id is not', () => {
  const counters = new GroupCounters()
  counters.planned(plan({ m1: 'a', m2: 'b' }, ['m1', 'm2', 'm2', '']), 'm1')
  expect(counters.figures.moves).toBe(0)
  counters.planned(plan({ m1: 'a', m2: 'b' }, ['m1', 'm1', 'm2', 'm1']), 'm1')
  expect(counters.figures.moves).toBe(1)
  // From an instance that is not there any more.
  counters.planned(plan({ m3: 'a' }, ['m3', 'm3', 'm3', 'm3']), 'm3')
  expect(counters.figures.moves).toBe(2)
})
