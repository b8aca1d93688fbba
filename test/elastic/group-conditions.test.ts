import { expect, test } from 'bun:test'
import { GroupConditions, type GroupNow } from '../../lib/elastic/group-conditions.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { planned, planOf } from '../support/elastic/plans.ts'

const plan = planOf([
  { primary: 0, copies: [1], isComplete: true },
  { primary: 1, copies: [0], isComplete: true },
])

function now(changes: Partial<GroupNow> = {}): GroupNow {
  const reachable = { isReachable: null }
  return { planned: undefined, trouble: undefined, stats: new Stats([0, 1]), partitionCount: 2, reachable, ...changes }
}

/** Of an instance that has partition 0 as primary, and 1 as a copy. */
function statsOf(caughtUp: number, ready: number): Stats {
  const stats = new Stats([0, 1])
  stats.setGauge(0, 'caughtUp', caughtUp)
  stats.setGauge(1, 'role', 1)
  stats.setGauge(1, 'ready', ready)
  return stats
}

function failing(conditions: GroupConditions, changes: Partial<GroupNow> = {}): Record<string, string | undefined> {
  const failed = conditions.look(now(changes)).filter(({ ok }) => !ok)
  return Object.fromEntries(failed.map(({ name, reason }) => [name, reason]))
}

test('an instance without a plan is not ready, and says what it waits for', () => {
  const conditions = new GroupConditions(true)
  expect(failing(conditions)).toEqual({
    in_group: 'the group has no plan for it yet',
    routed: 'no instance has partitions 0-1 yet',
    filled: 'the group has no plan for it yet',
  })
  expect(failing(conditions, { trouble: 'no broker' })['in_group']).toBe('no plan comes: no broker')
})

test('an instance is ready when all partitions are served and what it got first was read once', () => {
  const conditions = new GroupConditions(true)
  const waiting = planOf([{ primary: 0 }, {}])
  expect(failing(conditions, { planned: planned(waiting) })).toEqual({
    routed: 'no instance has partitions 1 yet',
    filled: 'the group has no plan for it yet',
  })
  const first = { planned: planned(plan) }
  expect(failing(conditions, { ...first, stats: statsOf(0, 0) })).toEqual({ filled: 'partitions 0-1 are being read' })
  expect(failing(conditions, { ...first, stats: statsOf(1, 0) })).toEqual({ filled: 'partitions 1 are being read' })
  expect(failing(conditions, { ...first, stats: statsOf(0, 1) })).toEqual({})
  // Neither a later plan nor a copy that falls behind changes that.
  expect(failing(conditions, { planned: planned(waiting), stats: statsOf(0, 0), trouble: 'no broker' })).toEqual({})
})

test('a copy that is going to be primary is waited for until it is, and has caught up', () => {
  const conditions = new GroupConditions(true)
  const mine = { planned: planned(planOf([{ primary: 0 }, { primary: 0, isComplete: true }])) }
  const stats = statsOf(1, 1)
  expect(failing(conditions, { ...mine, stats })).toEqual({ filled: 'partitions 1 are being read' })
  stats.setGauge(1, 'role', 0)
  stats.setGauge(1, 'caughtUp', 0)
  expect(failing(conditions, { ...mine, stats })).toEqual({ filled: 'partitions 1 are being read' })
  stats.setGauge(1, 'caughtUp', 1)
  expect(failing(conditions, { ...mine, stats })).toEqual({})
})

test('what a later plan takes away is not waited for', () => {
  const conditions = new GroupConditions(true)
  expect(failing(conditions, { planned: planned(plan), stats: statsOf(1, 0) })).toHaveProperty('filled')
  const later = planOf([{ primary: 0 }, { primary: 1, isComplete: true }])
  expect(failing(conditions, { planned: planned(later), stats: statsOf(1, 0) })).toEqual({})
})

test('the end of the source is waited for with READY_WHEN=caught-up only', () => {
  const recovered = new GroupConditions(false)
  expect(failing(recovered, { planned: planned(plan), stats: statsOf(0, 1) })).toEqual({})
})

test('a complete copy serves a partition that has no primary', () => {
  const only = planOf([
    { copies: [1], isComplete: true },
    { primary: 1, isComplete: true },
  ])
  expect(failing(new GroupConditions(true), { planned: planned(only) })).toEqual({})
  const incomplete = planOf([{ copies: [1] }, { primary: 1 }])
  expect(failing(new GroupConditions(true), { planned: planned(incomplete) })).toHaveProperty('routed')
})

test('an instance is not ready before each source was read once to the end that it had, also those of others', () => {
  const conditions = new GroupConditions(true)
  const first = planOf([
    { primary: 0, copies: [1] },
    { primary: 1, copies: [0] },
  ])
  expect(failing(conditions, { planned: planned(first), stats: statsOf(0, 1) })).toEqual({
    routed: 'the source of partitions 0-1 is being read to the end that it had',
    filled: 'partitions 0 are being read',
  })
  // What is primary here is known before a plan has it; a copy that is read to the end proves nothing.
  expect(failing(conditions, { planned: planned(first), stats: statsOf(1, 1) })).toEqual({
    routed: 'the source of partitions 1 is being read to the end that it had',
  })
  expect(failing(conditions, { planned: planned(plan), stats: statsOf(1, 1) })).toEqual({})
  // Not for partitions that the topic gets later, or whose copies are lost.
  const grown = planOf([{ primary: 0 }, { primary: 1 }, { primary: 1 }])
  expect(failing(conditions, { planned: planned(grown), stats: statsOf(0, 1), partitionCount: 3 })).toEqual({})
  expect(failing(new GroupConditions(false), { planned: planned(first), stats: statsOf(0, 1) })).toEqual({})
})

test('a partition that nothing is read into until an operator does something makes no instance unready for it', () => {
  const halted = planOf([
    { primary: 0, copies: [1], isStalled: true },
    { primary: 1, copies: [0], isComplete: true },
  ])
  const stats = statsOf(0, 1)
  expect(failing(new GroupConditions(true), { planned: planned(halted), stats })).toEqual({})
  const ofOther = planOf([
    { primary: 0, copies: [1], isComplete: true },
    { primary: 1, copies: [0], isStalled: true },
  ])
  expect(failing(new GroupConditions(true), { planned: planned(ofOther), stats: statsOf(1, 1) })).toEqual({})
})

test('an instance that does not fit from its start on says so, and nothing of what the others have', () => {
  const unfit = planned(planOf([]), 'member-0', { excludedReason: 'PARTITIONER differs' })
  expect(failing(new GroupConditions(false), { planned: unfit })).toEqual({
    in_group: 'PARTITIONER differs',
    routed: 'the group has no plan for it yet',
    filled: 'the group has no plan for it yet',
  })
})

test('an instance that does not fit, or is not reached, is not ready, also after it was', () => {
  const conditions = new GroupConditions(false)
  const stats = statsOf(1, 1)
  expect(failing(conditions, { planned: planned(plan), stats })).toEqual({})
  const unfit = planned(planOf([]), 'member-0', { excludedReason: 'PARTITIONER differs' })
  expect(failing(conditions, { planned: unfit, stats })).toEqual({ in_group: 'PARTITIONER differs' })
  const reachable = { isReachable: false, reason: 'http://10.0.0.0:80: refused' }
  expect(failing(conditions, { planned: planned(plan), stats, reachable })).toEqual({ reachable: reachable.reason })
})

test('an instance stays ready while a stranger makes the plans, and says so; not if it is the one at fault', () => {
  const conditions = new GroupConditions(false)
  const good = { planned: planned(plan), stats: statsOf(1, 1) }
  expect(failing(conditions, good)).toEqual({})
  const unread = { reason: 'the plan is not signed', isOdd: false }
  expect(failing(conditions, { ...good, unread })).toEqual({})
  expect(conditions.look(now({ ...good, unread }))[0]).toEqual({ name: 'in_group', ok: true, reason: unread.reason })
  expect(failing(conditions, { ...good, unread: { ...unread, isOdd: true } })).toEqual({ in_group: unread.reason })
})
