/** The status of a group for a person: who holds what, and what is the matter. For a terminal, a page and a command. */
import { escapeControls } from '../log/escape.ts'
import { nounFor } from '../text/counted.ts'
import { rangesOf } from '../text/ranges.ts'
import { table } from '../text/table.ts'
import type { GroupMemberStatus, GroupStatus } from './group-status.ts'

/** Of a cell, and of a sentence: a topic may have thousands of partitions that alternate between instances. */
const rangesMax = 12

/** An instance in words. */
export interface GroupRow {
  url: string
  /** `itself`, `yes`, `no`, or `not known`. */
  reached: string
  /** `0-3, 7`; empty if there are none. The same for the next two. */
  primary: string
  standby: string
  /** Partitions that it reads in order to be their primary. */
  reads: string
}

/** In the order of their URLs, so that rows stay where they are. */
export function groupRows({ members }: GroupStatus): GroupRow[] {
  return members
    .toSorted((one, other) => (one.url < other.url ? -1 : 1))
    .map((member) => ({
      url: member.url,
      reached: reachedOf(member),
      primary: rangesOf(member.primaries, rangesMax),
      standby: rangesOf(member.standbys, rangesMax),
      reads: rangesOf(member.filling, rangesMax),
    }))
}

function reachedOf({ isSelf, isReachable }: GroupMemberStatus): string {
  if (isSelf) return 'itself'
  if (isReachable === null) return 'not known'
  return isReachable ? 'yes' : 'no'
}

/** Returns sentences about what differs from a group that is at rest, the most urgent first. */
export function groupNotes(group: GroupStatus): string[] {
  const { members, unassigned, excluded, differing, waitsFor, trouble } = group
  const urlOf = (memberId: string) => members.find((member) => member.memberId === memberId)?.url ?? memberId
  const awaited = Map.groupBy(waitsFor, ({ memberId }) => memberId)
  return [
    ...(trouble === undefined ? [] : [`no plan comes: ${trouble}`]),
    ...(unassigned.length === 0 ? [] : [`no instance is primary of ${partitionsOf(unassigned)}`]),
    ...excluded.map(({ url, memberId, reason }) => `${url || memberId} gets nothing: ${reason}`),
    ...members.flatMap(({ url, reason }) => (reason === undefined ? [] : [`${url} is not reached: ${reason}`])),
    ...members.flatMap(({ url, isLeaving }) => (isLeaving ? [`${url} hands over what it holds, and leaves`] : [])),
    ...[...awaited].map(([memberId, those]) => {
      const numbers = those.map(({ partition }) => partition)
      return `${urlOf(memberId)} reads ${partitionsOf(numbers)}, to be primary then`
    }),
    ...(differing.length === 0 ? [] : [`settings that differ between instances: ${differing.join(', ')}`]),
  ]
}

function partitionsOf(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((one, other) => one - other)
  return `${nounFor(numbers.length, 'partition')} ${rangesOf(sorted, rangesMax)}`
}

/** Returns lines for a terminal. What comes from other instances is escaped. */
export function groupText(group: GroupStatus): string {
  const { name, state, generation, isLeader, leaseMs, protocol, url } = group
  const leader = isLeader ? 'this instance makes the plans' : 'another instance makes the plans'
  const lease = leaseMs > 0 ? `a lease of ${(leaseMs / 1000).toFixed(1)} s` : 'no lease'
  const facts = generation < 0 ? 'no plan yet' : `generation ${generation} of ${protocol}, ${leader}`
  const lines = [`group ${name}: ${state}, ${facts}`, `${url === '' ? 'this instance' : url} has ${lease}`]
  const header = ['INSTANCE', 'REACHED', 'PRIMARY', 'STANDBY', 'READS']
  const rows = groupRows(group).map((row) => {
    return [row.url, row.reached, row.primary || '-', row.standby || '-', row.reads || '-'].map(escapeControls)
  })
  const notes = groupNotes(group).map((note) => `${escapeControls(note)}\n`)
  return [
    `${lines.map(escapeControls).join('\n')}\n`,
    ...(rows.length === 0 ? [] : ['\n', table([header, ...rows])]),
    ...(notes.length === 0 ? [] : ['\n', ...notes]),
  ].join('')
}
