import { expect, test } from 'bun:test'
import { type GroupFacts, groupStatusOf } from '../../lib/elastic/group-status-of.ts'
import { planned, planOf } from '../support/elastic/plans.ts'

const facts: GroupFacts = {
  name: 'orders',
  state: 'joining',
  url: '',
  planned: undefined,
  trouble: undefined,
  reached: new Map(),
}

test('before the first plan nothing is known', () => {
  const status = groupStatusOf(facts)
  expect(status).toMatchObject({ state: 'joining', generation: -1, memberId: '', members: [], unassigned: [] })
})

test('members have what the plan gives them, and whether they are reached', () => {
  const routes = [{ primary: 0, copies: [1] }, { primary: 0, copies: [1], target: 1 }, {}]
  const reached = new Map([['member-1', { isReachable: false, reason: 'refused' }]])
  const status = groupStatusOf({ ...facts, state: 'stable', planned: planned(planOf(routes)), reached })
  expect(status.members).toEqual([
    expect.objectContaining({ isSelf: true, isReachable: true, primaries: [0, 1], standbys: [], filling: [] }),
    expect.objectContaining({ isSelf: false, isReachable: false, reason: 'refused', standbys: [0], filling: [1] }),
  ])
  expect(status.unassigned).toEqual([2])
  expect(status.waitsFor).toEqual([{ partition: 1, memberId: 'member-1' }])
})
