/** What is special about one simulated group. Chance decides. */
import type { Random } from '../../random.ts'

export interface Profile {
  partitions: number
  heartbeatMs: number
  standbys: number
  /** At most between two disturbances: some groups have time in between, others have none. */
  paceMs: number
  /** Members have a bound of memory. */
  hasRoom: boolean
  /** Some members have other settings, another token, none, or data that cannot be read. */
  hasOdd: boolean
  /** Partitions are added while the group runs. */
  isGrowing: boolean
  /** Some keys are where the partitioner does not put them. */
  hasStrangers: boolean
  /**
   * Living members refuse connections for a while, and are removed. None of these groups has a network fault or stopped
   * processes: a member that is removed by mistake and does not learn of it within two heartbeats calls its lag 0.
   */
  hasRefusals: boolean
}

export const partitionsMax = 8

export function profileOf(random: Random): Profile {
  const isOneOf = (count: number) => random.below(count) === 0
  return {
    heartbeatMs: random.pick([500, 1_000, 2_500]),
    partitions: 1 + random.below(6),
    standbys: random.below(3),
    paceMs: random.pick([1_500, 5_000, 12_000]),
    hasRoom: isOneOf(4),
    hasOdd: isOneOf(3),
    isGrowing: isOneOf(3),
    hasStrangers: isOneOf(3),
    hasRefusals: isOneOf(4),
  }
}

/**
 * How a member fits: `setting` must be equal and is not, `token` is another one, `unsigned` has none, `unreadable` sends
 * what is no data of a store.
 */
export type Fitness = 'fit' | 'setting' | 'token' | 'unsigned' | 'unreadable'

export function fitnessOf(random: Random, { hasOdd }: Profile): Fitness {
  if (!hasOdd || random.next() < 0.7) return 'fit'
  return random.pick(['setting', 'token', 'unsigned', 'unreadable'])
}
