import { expect, test } from 'bun:test'
import type { InstanceFaults } from '../support/group/simulation/faults.ts'
import type { Profile } from '../support/group/simulation/profile.ts'
import { Violation, World, type WorldOptions } from '../support/group/simulation/world.ts'

/** `bun test/group/simulate.ts` runs thousands. */
const seedCount = 30
/** Each defect is found far earlier. */
const faultSeedsMax = 200

/** What the first seed says that finds a fault. */
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

/** Groups in which instances are found that stand still for long. */
const slow = { paceMs: 5_000, heartbeatMs: 500, hasRefusals: false, hasRoom: false, hasOdd: false, isGrowing: false }

test.each<[string, keyof InstanceFaults, string, Partial<Profile>]>([
  ['a partition taken without a fence', 'fencesNothing', 'in place of', slow],
  ['a primary that writes before it has read its own marker', 'writesEarly', 'in place of', {}],
  ['a primary that continues from the commit', 'resumesFromCommit', 'in place of', {}],
  ['a primary that was a copy and continues after its own writes', 'losesTrail', 'in place of', {}],
  ['a primary that claims to be complete', 'claimsComplete', '', {}],
  ['an answer from an incomplete copy', 'answersIncomplete', 'the source had it before', {}],
  ['a lookup that is sent on', 'sendsOn', 'was sent on', {}],
  ['a key that is looked for only where it should be', 'scattersNothing', 'is elsewhere', { hasStrangers: true }],
  ['a lease that never ends', 'ignoresLease', 'both claim', slow],
  ['a successor that does not wait', 'holdsNothing', 'both claim', { hasRefusals: true, heartbeatMs: 2_500 }],
  ['a rebalance timeout below the session timeout', 'isHasty', 'both claim', slow],
  ['a partition that moves to a member that has not read it', 'movesUnready', '', { hasRoom: false }],
  ['a promotion that a plan interrupts', 'interrupts', 'interrupts the promotion', {}],
  ['an unsigned member in a plan', 'trustsUnsigned', 'not signed', { hasOdd: true }],
  ['a plan beyond the room of a member', 'ignoresRoom', 'has room for', { hasRoom: true }],
])('the simulation finds %s', (_, fault, sentence, profile) => {
  expect(found({ faults: { [fault]: true }, profile }, faultSeedsMax)).toContain(sentence)
})
