/** What --check says of a group that this instance would join, from what the coordinator knows. Joins nothing. */
import { LatchkeyError } from '../errors.ts'
import type { GroupMember, MemberReport } from '../group-protocol/member.ts'
import type { DescribedGroup, DescribedMember } from '../kafka/described-group.ts'
import { protocolType } from '../kafka/group-requests.ts'
import { escapeControls } from '../log/escape.ts'
import { counted } from '../text/counted.ts'
import { readMember } from './read-member.ts'
import { compareSettings } from './settings.ts'
import { budgetBytes } from './sizes.ts'

/** What this instance would join with. */
export interface OwnMember {
  group: string
  token: string | undefined
  protocols: readonly string[]
  /** Hash of each setting that matters to others, by name. */
  settings: MemberReport['settings']
}

const kibibyte = 1_024

/**
 * Returns lines to print. What members have sent is escaped: READ on the group is enough to send something.
 * @throws LatchkeyError broker_refused if the coordinator would refuse this instance
 */
export function describeMembers(found: DescribedGroup, own: OwnMember): string[] {
  return linesOf(found, own).map(escapeControls)
}

function linesOf(found: DescribedGroup, own: OwnMember): string[] {
  const { group, token, protocols } = own
  const { state, protocol, members } = found
  if (members.length === 0) return [`group ${group}: it has no members; this instance would be the first`]
  if (found.protocolType !== protocolType || (protocol !== '' && !protocols.includes(protocol))) {
    const has = `its members have ${found.protocolType || 'no'} protocol ${protocol || '(none)'}`
    throw new LatchkeyError(
      'broker_refused',
      `Joining group ${group}: ${has}, and this instance has ${protocols.join(', ')}; end the members, or choose another STORE_ID`,
    )
  }
  const count = counted(members.length, 'member')
  const lines = [`group ${group}: ${state} with ${count}${protocol === '' ? '' : `, protocol ${protocol}`}`]
  // While the group rebalances, the coordinator does not say what members have sent.
  const said = members.filter(({ metadata }) => metadata.length > 0)
  if (said.length === 0) return [...lines, 'group members: not known while the group rebalances; check again']
  const read = said.map((member) => ({ member, ...readMember(group, token, member.metadata) }))
  lines.push(`group members: ${read.map(({ member, value }) => value?.url ?? placeOf(member)).join(', ')}`)
  lines.push(describeSize(said))
  for (const { member, reason } of read) {
    if (reason === undefined) continue
    lines.push(`warning: ${placeOf(member)}: its data are ${reason}. One of it and this instance would get nothing`)
  }
  return [
    ...lines,
    ...describeDifferences(
      own,
      read.flatMap(({ member, value }) => (value ? { memberId: member.memberId, ...value } : [])),
    ),
  ]
}

function placeOf({ clientId, clientHost }: DescribedMember): string {
  return `member ${clientId} at ${clientHost.replace(/^\//, '')}`
}

function describeSize(members: readonly DescribedMember[]): string {
  const bytes = members.reduce((sum, { metadata, assignment }) => sum + metadata.length + assignment.length, 0)
  return `group data: ${Math.ceil(bytes / kibibyte)} KiB of ${budgetBytes / kibibyte} KiB for whole plans`
}

/** The members are older than this instance, so at a tie they count. */
function describeDifferences({ settings }: OwnMember, members: readonly GroupMember[]): string[] {
  const [first] = members
  if (first === undefined) return []
  const here = { ...first, memberId: '', id: 'this instance', settings, startedAtMs: Number.POSITIVE_INFINITY }
  const { unfit, differing } = compareSettings([...members, here])
  const lines = unfit.map(({ member, names }) => {
    const whose =
      member === here ? 'differs from the members: this instance' : `of ${member.url} differs from the others: it`
    return `warning: ${names.join(', ')} ${whose} would get no partitions`
  })
  if (differing.length > 0) lines.push(`warning: settings that differ between instances: ${differing.join(', ')}`)
  return lines
}
