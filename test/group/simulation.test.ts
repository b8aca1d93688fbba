import { expect, test } from 'bun:test'
import { Violation, World, type WorldOptions } from '../support/group/simulation/world.ts'

/** `bun test/group/simulate.ts` runs thousands. */
const seedCount = 30

/** The first seed that finds a fault. */
function found(options: WorldOptions, seeds: number): string | undefined {
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      new World(seed, options).run()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      return error.message
    }
  }
  return undefined
}

test('members that start, stop, freeze, are cut off and killed stay consistent, and converge when it is over', () => {
  expect(found({}, seedCount)).toBeUndefined()
})

test.each<[string, WorldOptions, string, number]>([
  ['a primary that writes before it has read its own marker', { faults: { writesEarly: true } }, 'in place of', 20],
  ['a primary that claims to be complete', { faults: { claimsComplete: true } }, 'for complete', 20],
  ['a lease that never ends', { faults: { ignoresLease: true } }, 'both claim', 60],
  ['a rebalance timeout below the session timeout', { faults: { isHasty: true } }, 'both claim', 30],
])('the simulation finds %s', (_, options, sentence, seeds) => {
  expect(found(options, seeds)).toContain(sentence)
})
