import { expect, test } from 'bun:test'
import { candidatesOf } from '../../lib/routing/candidates.ts'
import { noCopy } from '../../lib/store-protocol/copy-state.ts'
import { primary, replica } from '../support/routing/fake-copies.ts'

const up = () => false
const filling = { ...replica, isReady: false }

test.each([
  ['this instance first, if it is primary', { primary: 1, copies: [2] }, primary, up, [0, 1, 2]],
  ['the primary before a copy here', { primary: 1, copies: [0, 2] }, replica, up, [1, 0, 2]],
  ['the copy here before others', { primary: 1, copies: [2, 0] }, replica, up, [1, 0, 2]],
  ['a copy here that the plan does not name', { primary: 1, copies: [2] }, replica, up, [1, 0, 2]],
  ['a copy here that fills after the others', { primary: 1, copies: [0, 2] }, filling, up, [1, 2, 0]],
  ['those that are down last', { primary: 1, copies: [0, 2] }, replica, (at: number) => at === 1, [0, 2, 1]],
  ['those that are down also if no other is left', { primary: 1, copies: [] }, noCopy, () => true, [1]],
  ['no copy here that is not there', { primary: 1, copies: [0] }, noCopy, up, [1]],
  ['itself not as primary before it is', { primary: 0, copies: [1] }, noCopy, up, [1]],
  ['copies, without a primary', { primary: -1, copies: [2, 1] }, noCopy, up, [2, 1]],
  ['nothing, if no instance has the partition', { primary: -1, copies: [] }, noCopy, up, []],
])('the order has %s', (_, route, own, isDown, expected) => {
  expect(candidatesOf(route, 0, own, isDown)).toEqual(expected)
})

test('an instance that is no member asks those that are', () => {
  expect(candidatesOf({ primary: 0, copies: [1] }, -1, noCopy, up)).toEqual([0, 1])
})
