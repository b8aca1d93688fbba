/**
 * Data of members and plans in the protocol `latchkey-1`. Names are short and holdings are tuples, because all data of
 * a generation is one record of the coordinator (sizes.ts).
 */
import * as v from 'valibot'
import type {
  ExcludedMember,
  GroupPlan,
  Holding,
  MemberReport,
  PlannedMember,
  Route,
} from '../group-protocol/member.ts'
import { open, seal, type Unsealed } from './sealed.ts'

const textMax = 2_048
/** Of instances. The ids of all of them are in each plan. */
const idMax = 32
const partitionsMax = 100_000
const membersMax = 1_000
/** Of members that get nothing, which may be strangers: what they send does not make a plan too large or unreadable. */
const excludedMax = 32
const memberIdMax = 256
const reasonMax = 512

/** Neither spaces nor controls, which a URL parser ignores. */
const urlPattern = /^[!-~]+$/

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const orMinusOne = v.pipe(v.number(), v.safeInteger(), v.minValue(-1))
const text = v.pipe(v.string(), v.maxLength(textMax))
const partitionNumber = v.pipe(count, v.maxValue(partitionsMax - 1))
const memberIndex = v.pipe(orMinusOne, v.maxValue(membersMax - 1))

/** Identity of an instance: it stands in headers of answers. */
const instanceId = v.pipe(v.string(), v.minLength(1), v.maxLength(idMax), v.regex(/^[\w.~-]+$/))

/** Partition, position, bytes, flags, term. */
const holdingSchema = v.tuple([partitionNumber, count, count, count, orMinusOne])

const memberSchema = v.pipe(
  v.object({
    id: instanceId,
    url: v.pipe(text, v.check(isPeerUrl)),
    rack: text,
    partitions: v.pipe(count, v.maxValue(partitionsMax)),
    since: count,
    settings: v.record(v.pipe(v.string(), v.maxLength(64)), v.pipe(v.string(), v.maxLength(64))),
    flags: count,
    /** null: no bound. */
    room: v.nullable(count),
    held: v.pipe(v.array(holdingSchema), v.maxLength(partitionsMax)),
    /** Partition, bytes. */
    unfit: v.optional(v.pipe(v.array(v.tuple([partitionNumber, count])), v.maxLength(partitionsMax)), []),
  }),
  v.check(({ partitions, held, unfit }) => {
    const numbers = new Set([...held, ...unfit].map(([partition]) => partition))
    const isKnown = ([partition]: readonly [number, ...unknown[]]) => partition < partitions
    return numbers.size === held.length + unfit.length && held.every(isKnown) && unfit.every(isKnown)
  }),
)

const planSchema = v.pipe(
  v.object({
    members: v.pipe(v.array(v.tuple([text, instanceId, v.pipe(text, v.check(isPeerUrl))])), v.maxLength(membersMax)),
    /** Primary, target, flags, copies. */
    routes: v.pipe(
      v.array(v.tupleWithRest([memberIndex, memberIndex, count], memberIndex)),
      v.maxLength(partitionsMax),
    ),
    excluded: v.pipe(v.array(v.tuple([text, text, text])), v.maxLength(membersMax)),
    /** Members that leave. */
    leaving: v.optional(v.pipe(v.array(memberIndex), v.maxLength(membersMax)), []),
    own: v.optional(v.boolean(), false),
  }),
  v.check(({ members, routes }) => {
    return routes.every(([primary, target, , ...copies]) => {
      return [primary, target, ...copies].every((member) => member < members.length) && !copies.includes(-1)
    })
  }),
)

// A new flag comes last: members of other versions know those before it.
const holdingFlags = [
  'isReady',
  'isPrimary',
  'isPromoting',
  'isComplete',
  'hasStrangers',
  'isHalfRead',
  'isStalled',
] as const
const memberFlags = ['isLeaving', 'isUnreachable'] as const
const routeFlags = ['isComplete', 'hasStrangers', 'isRetaining', 'isStalled'] as const

export function encodeMember(group: string, token: string | undefined, report: MemberReport): Buffer {
  return seal({ kind: 'member', group }, token, {
    id: report.id,
    url: report.url,
    rack: report.rack,
    partitions: report.partitionCount,
    since: report.startedAtMs,
    settings: report.settings,
    flags: bitsOf(report, memberFlags),
    room: Number.isFinite(report.roomBytes) ? Math.max(0, Math.floor(report.roomBytes)) : null,
    held: report.held.map((one) => [one.partition, one.position, one.bytes, bitsOf(one, holdingFlags), one.term]),
    ...(report.unfit && { unfit: report.unfit.map(({ partition, bytes }) => [partition, Math.floor(bytes)]) }),
  })
}

export function decodeMember(group: string, token: string | undefined, bytes: Buffer): Unsealed<MemberReport> {
  const { value, reason } = open({ kind: 'member', group }, token, bytes, memberSchema)
  if (value === undefined) return { reason }
  const { id, url, rack, partitions: partitionCount, since: startedAtMs, settings, room } = value
  const held = value.held.map(([partition, position, size, bits, term]): Holding => {
    return { partition, position, bytes: size, term, ...flagsOf(bits, holdingFlags) }
  })
  const roomBytes = room ?? Number.POSITIVE_INFINITY
  const flags = flagsOf(value.flags, memberFlags)
  const unfit = value.unfit.map(([partition, size]) => ({ partition, bytes: size }))
  const copies = { held, ...(unfit.length > 0 && { unfit }) }
  return { value: { id, url, rack, partitionCount, startedAtMs, settings, roomBytes, ...copies, ...flags } }
}

/** Why the newest members get nothing. */
export const tooLarge = 'the group has more members than its coordinator can keep: end some'

/** For members that the leader left out. */
const nothing: GroupPlan = { members: [], routes: [], excluded: [{ memberId: '', url: '', reason: tooLarge }] }

/** Makes the plan for a member that gets nothing: it shows no other member. */
export function exclusion(excluded: ExcludedMember): GroupPlan {
  return { members: [], routes: [], excluded: [excluded] }
}

export interface PlanContext {
  group: string
  /** The plan counts in this generation only. */
  generation: number
}

/** @param only member whose copies the routes have, by index; absent for all */
export function encodePlan(context: PlanContext, token: string | undefined, plan: GroupPlan, only?: number): Buffer {
  const isShown = (member: number) => only === undefined || member === only
  return seal({ kind: 'plan', ...context }, token, {
    members: plan.members.map(({ memberId, id, url }) => [memberId, id, url]),
    routes: plan.routes.map((route) => {
      const target = isShown(route.target) ? route.target : -1
      return [route.primary, target, bitsOf(route, routeFlags), ...route.copies.filter(isShown)]
    }),
    excluded: named(plan.excluded).map(({ memberId, url, reason }) => [
      shownMemberId(memberId),
      url,
      reason.slice(0, reasonMax),
    ]),
    leaving: plan.members.flatMap(({ isLeaving }, member) => (isLeaving ? [member] : [])),
    ...(only === undefined ? {} : { own: true }),
  })
}

/** An id begins with the client id of the member, which may have 32 kB. Members differ in its last part. */
export function shownMemberId(memberId: string): string {
  return memberId.length > memberIdMax ? memberId.slice(-memberIdMax) : memberId
}

/** Those whose data could be read first: they have a URL, and are most likely meant to fit. */
function named(excluded: readonly ExcludedMember[]): ExcludedMember[] {
  if (excluded.length <= excludedMax) return [...excluded]
  return excluded.toSorted((one, other) => Number(one.url === '') - Number(other.url === '')).slice(0, excludedMax)
}

/** Reads a plan. An empty assignment is one without partitions for this member. */
export function decodePlan(context: PlanContext, token: string | undefined, bytes: Buffer): Unsealed<GroupPlan> {
  if (bytes.length === 0) return { value: nothing }
  const { value, reason } = open({ kind: 'plan', ...context }, token, bytes, planSchema)
  if (value === undefined) return { reason }
  const members = value.members.map(([memberId, id, url], member): PlannedMember => {
    return { memberId, id, url, ...(value.leaving.includes(member) && { isLeaving: true }) }
  })
  const routes = value.routes.map(([primary, target, bits, ...copies]): Route => {
    return { primary, target, copies, ...flagsOf(bits, routeFlags) }
  })
  return {
    value: {
      members,
      routes,
      excluded: value.excluded.map(([memberId, url, why]) => ({ memberId, url, reason: why })),
      ...(value.own && { isOwnOnly: true }),
    },
  }
}

function bitsOf<Name extends string>(flags: Readonly<Record<Name, boolean>>, names: readonly Name[]): number {
  return names.reduce((bits, name, place) => (flags[name] ? bits + 2 ** place : bits), 0)
}

function flagsOf<Name extends string>(bits: number, names: readonly Name[]): Record<Name, boolean> {
  return Object.fromEntries(names.map((name, place) => [name, (bits & (2 ** place)) !== 0])) as Record<Name, boolean>
}

/** Requests go to it: it names a place and nothing else. */
function isPeerUrl(url: string): boolean {
  if (!urlPattern.test(url) || !URL.canParse(url)) return false
  const { protocol, username, password, href } = new URL(url)
  return ['http:', 'https:'].includes(protocol) && username + password === '' && !/[?#]/.test(href)
}
