/** Where one thread of an instance answers for a partition. */
import { expect, test } from 'bun:test'
import { answerHere, awaitPromotion, forward, RouteTable } from '../../lib/routing/route-table.ts'
import { planned, planOf } from '../support/elastic/plans.ts'

const here = { role: 0, isReady: true }
const copy = { role: 1, isReady: true }

test.each([
  ['a primary of the plan answers', here, 0, answerHere],
  ['a primary answers while no plan has another one', here, -1, answerHere],
  ['a primary that the plan gives to another instance asks that one, which may have newer values', here, 1, forward],
  ['a copy asks the primary', copy, 1, forward],
  ['an instance that is going to be primary waits', copy, 0, awaitPromotion],
] as const)('%s', (_, own, primary, decision) => {
  const table = new RouteTable({
    partitionCount: 1,
    own: () => own,
    hasStrangers: () => false,
    isDown: () => false,
    isCurrent: () => true,
  })
  table.setGroup(planned(planOf([{ primary }])).view)
  expect(table.decision[0]).toBe(decision)
})

test('all is here only where each partition is, and there are some', () => {
  const roles = [0, 0]
  const source = {
    partitionCount: 0,
    own: (partition: number) => ({ role: roles[partition]!, isReady: true }),
    hasStrangers: () => false,
    isDown: () => false,
    isCurrent: () => true,
  }
  const table = new RouteTable(source)
  const allHere = () => {
    table.refresh()
    return table.isAllHere
  }
  expect(allHere()).toBeFalse()
  source.partitionCount = 2
  expect(allHere()).toBeTrue()
  roles[1] = 1
  expect(allHere()).toBeFalse()
})
