/**
 * Conditions of readiness of an instance in a group. What is reached once stays reached: a rollout waits for each new
 * instance, and neither Kafka nor a later plan makes all instances unready.
 */
import type { GroupPlan } from '../group-protocol/member.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Condition } from '../store-protocol/status.ts'
import { rangesOf } from '../text/ranges.ts'
import type { PlanMessage, ReachedState, UnreadMessage } from './group-status-of.ts'
import { wantedRoles } from './wanted-roles.ts'

const rangesMax = 12
const withoutPlan = 'the group has no plan for it yet'
const none: WantedRoles = { primaries: [], replicas: [] }

export interface GroupNow {
  /** Undefined before the first plan. */
  planned: PlanMessage | undefined
  trouble: string | undefined
  /** Why the present plan cannot be read: the last one stays. */
  unread?: Pick<UnreadMessage, 'reason' | 'isOdd'> | undefined
  stats: Pick<StatsView, 'gauge' | 'partitions'>
  partitionCount: number
  /** Whether the others reach this instance. */
  reachable: ReachedState
}

export class GroupConditions {
  readonly #waitsForSource: boolean
  #isRouted = false
  /** What the first plan that has all partitions gave this instance, as far as it was never ready; then empty. */
  #due: Set<number> | undefined

  /** @param waitsForSource whether primaries have to reach the end that their source had */
  constructor(waitsForSource: boolean) {
    this.#waitsForSource = waitsForSource
  }

  look(now: GroupNow): Condition[] {
    const own = ownOf(now)
    return [this.#inGroup(now), this.#routed(now, own), this.#filled(now, own), reachableOf(now.reachable)]
  }

  #inGroup({ planned, trouble, unread }: GroupNow): Condition {
    // A stranger that makes the plans does not make all instances unready.
    const isUnread = unread !== undefined && planned !== undefined && planned.excludedReason === undefined
    if (isUnread) return { name: 'in_group', ok: !unread.isOdd, reason: unread.reason }
    const wait = trouble === undefined ? withoutPlan : `no plan comes: ${trouble}`
    const reason = planned === undefined ? wait : planned.excludedReason
    return reason === undefined ? { name: 'in_group', ok: true } : { name: 'in_group', ok: false, reason }
  }

  #routed({ planned, partitionCount, stats }: GroupNow, own: Own): Condition {
    if (this.#isRouted) return { name: 'routed', ok: true }
    const { routes } = planned?.view.plan ?? { routes: [] }
    const all = Array.from({ length: Math.max(partitionCount, routes.length, 1) }, (_, partition) => partition)
    const absent = all.filter((partition) => !isServed(routes[partition]))
    if (absent.length === 0) this.#due ??= new Set([...own.primaries, ...own.replicas])
    // Of what is primary here, the gauges say it before a plan does.
    const isRead = (partition: number) =>
      !this.#waitsForSource || routes[partition]?.isComplete === true || this.#isPrimary(stats, partition, own)
    const isOpen = (partition: number) => !isRead(partition) && routes[partition]?.isStalled !== true
    const open = absent.length > 0 ? absent : all.filter(isOpen)
    this.#isRouted = planned !== undefined && open.length === 0
    if (this.#isRouted) return { name: 'routed', ok: true }
    const ranges = rangesOf(open, rangesMax)
    let reason = `the source of partitions ${ranges} is being read to the end that it had`
    if (absent.length > 0) reason = `no instance has partitions ${ranges} yet`
    // The plan of an instance that does not fit shows it nothing of the others.
    if (planned?.excludedReason !== undefined) reason = withoutPlan
    return { name: 'routed', ok: false, reason }
  }

  #filled({ planned, stats }: GroupNow, own: Own): Condition {
    if (this.#due?.size === 0) return { name: 'filled', ok: true }
    if (this.#due === undefined) return { name: 'filled', ok: false, reason: withoutPlan }
    for (const partition of this.#due) {
      const isStalled = planned?.view.plan.routes[partition]?.isStalled === true
      const isReady = own.primaries.has(partition)
        ? this.#isPrimary(stats, partition, own, isStalled)
        : own.held.has(partition) && stats.gauge(partition, 'ready') === 1
      if (isReady || !(own.primaries.has(partition) || own.replicas.has(partition))) this.#due.delete(partition)
    }
    if (this.#due.size === 0) return { name: 'filled', ok: true }
    const partitions = [...this.#due].toSorted((one, other) => one - other)
    return { name: 'filled', ok: false, reason: `partitions ${rangesOf(partitions, rangesMax)} are being read` }
  }

  /** Whether a partition is primary here and, if that is waited for, has reached the end that its source had. */
  #isPrimary(stats: GroupNow['stats'], partition: number, { held, primaries }: Own, isStalled = false): boolean {
    if (!primaries.has(partition) || !held.has(partition)) return false
    // A copy that is going to be primary may be read to the end, and the source not.
    if (stats.gauge(partition, 'role') !== 0) return false
    return !this.#waitsForSource || isStalled || stats.gauge(partition, 'caughtUp') === 1
  }
}

/** What the plan gives this instance, and what it holds. */
interface Own {
  readonly primaries: ReadonlySet<number>
  readonly replicas: ReadonlySet<number>
  readonly held: ReadonlySet<number>
}

function ownOf({ planned, stats }: GroupNow): Own {
  const { primaries, replicas } = planned === undefined ? none : wantedRoles(planned.view, none)
  return { primaries: new Set(primaries), replicas: new Set(replicas), held: new Set(stats.partitions) }
}

function isServed(route: GroupPlan['routes'][number] | undefined): boolean {
  return route !== undefined && (route.primary >= 0 || (route.isComplete && route.copies.length > 0))
}

function reachableOf({ isReachable, reason }: ReachedState): Condition {
  if (isReachable !== false) return { name: 'reachable', ok: true }
  return { name: 'reachable', ok: false, reason: reason ?? 'the other instances do not reach it' }
}
