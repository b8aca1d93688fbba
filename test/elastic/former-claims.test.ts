/** When an instance that was removed from its group is to be believed again. */
import { expect, test } from 'bun:test'
import { FormerClaims } from '../../lib/elastic/former-claims.ts'

function open() {
  const agreed: number[] = []
  return { agreed, claims: new FormerClaims((generation) => agreed.push(generation)) }
}

test('a plan that takes nothing away is agreed to at once', () => {
  const { claims, agreed } = open()
  claims.planned(4, [0, 1], [0, 1, 2])
  expect(agreed).toEqual([4])
  claims.gaveUp([2])
  expect(agreed).toEqual([4])
})

test('a plan is agreed to once what it gives to others is given up', () => {
  const { claims, agreed } = open()
  claims.planned(4, [0, 1, 2], [2])
  claims.gaveUp([1, 3])
  expect(agreed).toEqual([])
  claims.gaveUp([0])
  expect(agreed).toEqual([4])
})

test('after a removal, all has to be given up, also what the next plan gives back', () => {
  const { claims, agreed } = open()
  claims.planned(4, [0, 1], [0, 1])
  claims.removed([0, 1])
  claims.gaveUp([0])
  claims.planned(6, [1], [0, 1])
  expect(agreed).toEqual([4])
  claims.gaveUp([1])
  expect(agreed).toEqual([4, 6])
})

test('while it is not known what others have, nothing is agreed to', () => {
  const { claims, agreed } = open()
  claims.planned(4, [0, 1], [0])
  claims.unknown()
  claims.gaveUp([1])
  expect(agreed).toEqual([])
})
