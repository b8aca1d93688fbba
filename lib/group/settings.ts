/**
 * Settings of members beside each other. Some must be equal, or instances would disagree about what a partition holds;
 * others may differ while a group is changed host by host, with a warning.
 */
import { createHash } from 'node:crypto'
import type { GroupMember } from '../group-protocol/member.ts'
import { majorityOf } from './majority.ts'

/** Names in `MemberReport.settings` that must be equal in all members. A member that differs gets no partition. */
export const mustAgree: readonly string[] = ['SOURCE_TOPIC', 'CHANGELOG_TOPIC', 'PARTITIONER']

const hashLength = 8

/** Hashes each setting by itself, so that a difference has a name and values stay where they are. */
export function hashSettings(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const hash = createHash('sha256').update(JSON.stringify([name, value]))
      return [name, hash.digest('base64url').slice(0, hashLength)]
    }),
  )
}

export interface ComparedSettings {
  fit: GroupMember[]
  /** With the names of the settings that differ from those of the majority. */
  unfit: { member: GroupMember; names: string[] }[]
  /** Names of settings that may differ, and do among the fit members. */
  differing: string[]
}

/** The majority counts; at a tie the side with the member that started first. */
export function compareSettings(members: readonly GroupMember[]): ComparedSettings {
  const fit = majorityOf(members, ({ settings }) => JSON.stringify(mustAgree.map((name) => settings[name] ?? '')))
  const [first] = fit
  const unfit = members.flatMap((member) => {
    const names = mustAgree.filter((name) => member.settings[name] !== first!.settings[name])
    return names.length === 0 ? [] : [{ member, names }]
  })
  const names = new Set(fit.flatMap(({ settings }) => Object.keys(settings)))
  // A member of another version may not have a name: that says nothing of its setting.
  const hasSeveral = (name: string) => new Set(fit.flatMap(({ settings }) => settings[name] ?? [])).size > 1
  const differing = [...names].filter(hasSeveral)
  return { fit, unfit, differing: differing.toSorted() }
}
