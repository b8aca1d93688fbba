/** What a simulated instance is made with. */
import type { MembershipOptions } from '../../../../lib/group/membership.ts'
import type { InstanceFaults } from './faults.ts'
import type { SimulatedLog } from './log.ts'
import type { Fitness } from './profile.ts'

const token = 'the token of the group'
export const tokens: Record<Fitness, string | undefined> = {
  fit: token,
  setting: token,
  unreadable: token,
  token: 'another token',
  unsigned: undefined,
}

export interface InstanceOptions {
  number: number
  standbys: number
  fitness: Fitness
  roomBytes: number
  /** More are added while it runs; it sees them after a while. */
  logs: readonly SimulatedLog[]
  /** End of each partition of the source. */
  sourceEnd: () => number
  membership: Omit<MembershipOptions, 'group' | 'protocols'>
  faults: InstanceFaults
  /** Whether nothing listens at a URL. */
  isRefused: (url: string) => boolean
  say: (line: string) => void
  fail: (found: string) => never
}
