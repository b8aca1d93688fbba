/**
 * Members at loopback addresses beside members at others. A member at another machine cannot reach the former, so both
 * cannot be in one group: the majority counts, at a tie the side with the member that started first.
 */
import type { GroupMember } from '../group-protocol/member.ts'
import { isLoopbackHost } from '../text/loopback.ts'
import { majorityOf } from './majority.ts'

export interface ComparedUrls {
  fit: GroupMember[]
  /** With the reason why they get nothing. */
  unfit: { member: GroupMember; reason: string }[]
}

export function compareUrls(members: readonly GroupMember[]): ComparedUrls {
  const fit = majorityOf(members, isAtLoopback)
  const [first] = fit
  const unfit = members.filter((member) => !fit.includes(member))
  return { fit, unfit: unfit.map((member) => ({ member, reason: reasonFor(member, first!) })) }
}

function isAtLoopback({ url }: GroupMember): boolean {
  return isLoopbackHost(new URL(url).hostname)
}

function reasonFor(member: GroupMember, other: GroupMember): string {
  const [one, it] = isAtLoopback(member) ? [member.url, 'ADVERTISED_URL'] : [other.url, 'ADVERTISED_URL of the others']
  return `${one} is an address that only its own machine reaches, and other members are elsewhere: set ${it}`
}
