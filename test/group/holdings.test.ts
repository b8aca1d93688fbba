import { expect, test } from 'bun:test'
import { Holdings } from '../../lib/group/holdings.ts'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { planOf } from '../support/elastic/plans.ts'

function setup(...roles: number[]) {
  const layout = [...roles.keys()]
  const stats = new Stats(layout)
  for (const [partition, role] of roles.entries()) {
    stats.setGauge(partition, 'role', role)
    setPartitionState(stats, partition, 'running')
    stats.setGauge(partition, 'ready', role === 1 ? 1 : -1)
    stats.setGauge(partition, 'changelogPosition', 5)
    stats.setGauge(partition, 'totalBytes', 10)
    stats.setGauge(partition, 'indexBytes', 2)
  }
  const holdings = new Holdings()
  holdings.addStoreThread(layout, stats.buffer)
  return { stats, holdings }
}

test('what is held is read from the gauges of the store threads', () => {
  const { stats, holdings } = setup(0, 1, -1)
  stats.setGauge(1, 'term', 3)
  stats.setGauge(1, 'promoting', 1)
  const { held, isLost } = holdings.look(undefined, 0)
  expect(held).toEqual([
    expect.objectContaining({ partition: 0, position: 5, bytes: 12, isPrimary: true, isReady: true, term: -1 }),
    expect.objectContaining({ partition: 1, isPrimary: false, isReady: true, isPromoting: true, term: 3 }),
  ])
  expect(isLost).toBe(false)
})

test('what there is no room for is reported with what it needs, and a copy that is filled with no less', () => {
  const { stats, holdings } = setup(1, -1, 1)
  for (const partition of stats.layout) stats.setGauge(partition, 'neededBytes', 100)
  stats.setGauge(0, 'ready', 0)
  const { held, unfit } = holdings.look(undefined, 0)
  expect(held.map(({ bytes }) => bytes)).toEqual([100, 12])
  expect(unfit).toEqual([{ partition: 1, bytes: 100 }])
})

test('a copy is complete once the plan says so and it is ready, until it is read again', () => {
  const { stats, holdings } = setup(1)
  const isComplete = (plan = planOf([{ primary: 1, copies: [0] }])) => holdings.look(plan, 0).held[0]!.isComplete
  const complete = planOf([{ primary: 1, copies: [0], isComplete: true }])
  expect(isComplete()).toBe(false)
  stats.setGauge(0, 'ready', 0)
  expect(isComplete(complete)).toBe(false)
  stats.setGauge(0, 'ready', 1)
  expect(isComplete(complete)).toBe(true)
  // It stays so where the plan has not heard of it, and as a primary.
  expect(isComplete()).toBe(true)
  stats.setGauge(0, 'role', 0)
  expect(isComplete()).toBe(true)
  stats.setGauge(0, 'role', 1)
  setPartitionState(stats, 0, 'recovering')
  expect(isComplete()).toBe(false)
})

test('a copy has keys that belong elsewhere as soon as the plan says so: it may not have read them yet', () => {
  const { stats, holdings } = setup(1)
  const hasStrangers = (isKnown: boolean) =>
    holdings.look(planOf([{ primary: 1, copies: [0], hasStrangers: isKnown }]), 0).held[0]!.hasStrangers
  expect([hasStrangers(false), hasStrangers(true)]).toEqual([false, true])
  stats.setGauge(0, 'strangers', 1)
  expect(hasStrangers(false)).toBe(true)
})

test('a primary is complete once it has caught up with its source', () => {
  const { stats, holdings } = setup(0)
  stats.setGauge(0, 'caughtUp', 0)
  expect(holdings.look(undefined, 0).held[0]!.isComplete).toBe(false)
  stats.setGauge(0, 'caughtUp', 1)
  expect(holdings.look(undefined, 0).held[0]!.isComplete).toBe(true)
})

test('a copy that becomes primary in the place of one that never caught up is not complete before it has', () => {
  const { stats, holdings } = setup(1)
  const plan = planOf([{ primary: 1, copies: [0] }])
  expect(holdings.look(plan, 0).held[0]!.isComplete).toBe(false)
  stats.setGauge(0, 'role', 0)
  stats.setGauge(0, 'caughtUp', 0)
  expect(holdings.look(planOf([{ primary: 0 }]), 0).held[0]!.isComplete).toBe(false)
  stats.setGauge(0, 'caughtUp', 1)
  expect(holdings.look(planOf([{ primary: 0 }]), 0).held[0]!.isComplete).toBe(true)
})

test('a primary is stalled while it has halted or memory is full, and a copy never', () => {
  const { stats, holdings } = setup(0, 1)
  const stalled = () => holdings.look(undefined, 0).held.map(({ isStalled }) => isStalled)
  expect(stalled()).toEqual([false, false])
  setPartitionState(stats, 0, 'halted')
  expect(stalled()).toEqual([true, false])
  setPartitionState(stats, 0, 'running')
  stats.set('full', 1)
  expect(stalled()).toEqual([true, false])
})

test('a partition that this instance is to have counts as its own, until it is lost', () => {
  const { stats, holdings } = setup(1)
  const plan = planOf([{ primary: 0 }])
  holdings.planned(plan, 'member-0')
  expect(holdings.look(plan, 0).held[0]!.isPrimary).toBe(true)
  stats.setGauge(0, 'role', 0)
  expect(holdings.look(plan, 100).isLost).toBe(false)
  stats.setGauge(0, 'role', 1)
  const { held, isLost } = holdings.look(plan, 200)
  expect([isLost, held[0]!.isPrimary]).toEqual([true, false])
  expect(holdings.look(plan, 300).isLost).toBe(false)
})

test('a promotion that was refused is asked for again', () => {
  const { holdings } = setup(1)
  const plan = planOf([{ primary: 0 }])
  holdings.planned(plan, 'member-0')
  expect(holdings.look(plan, 0).isLost).toBe(false)
  expect(holdings.look(plan, 5_000).isLost).toBe(false)
  expect(holdings.look(plan, 5_100).isLost).toBe(true)
})

test('a partition that the plan takes away is not lost, nor is one of a member that was removed', () => {
  const { stats, holdings } = setup(0, 0)
  const first = planOf([{ primary: 0 }, { primary: 0 }])
  holdings.planned(first, 'member-0')
  holdings.look(first, 0)
  const second = planOf([{ primary: 1, copies: [0] }, { primary: 0 }])
  holdings.planned(second, 'member-0')
  stats.setGauge(0, 'role', 1)
  expect(holdings.look(second, 100).isLost).toBe(false)
  holdings.removed()
  stats.setGauge(1, 'role', 1)
  expect(holdings.look(second, 200).isLost).toBe(false)
})

test('what is being rebuilt is not complete, and is again when its source was read to the end', () => {
  const { stats, holdings } = setup(0, 1)
  const complete = planOf([
    { primary: 0, copies: [1], isComplete: true },
    { primary: 1, copies: [0], isComplete: true },
  ])
  const areComplete = () => holdings.look(complete, 0).held.map(({ isComplete }) => isComplete)
  stats.setGauge(0, 'caughtUp', 1)
  expect(areComplete()).toEqual([true, true])
  stats.setGauge(0, 'caughtUp', 0)
  setPartitionState(stats, 0, 'rebuilding')
  // The copy has read what its primary deletes. The plan does not know of that yet.
  stats.setGauge(1, 'hidden', 1)
  expect(areComplete()).toEqual([false, false])
  stats.setGauge(0, 'caughtUp', 1)
  setPartitionState(stats, 0, 'running')
  expect(areComplete()).toEqual([true, false])
})
