/**
 * Where each partition is answered, for one thread: the plan of the group, and what this instance holds at the moment.
 * For a partition that is primary here, the decision costs one load; where all are, the key is not even hashed for it.
 */
import type { GroupView } from '../group-protocol/group-view.ts'
import type { PlannedMember, Route } from '../group-protocol/member.ts'
import { candidatesOf, type OwnCopy } from './candidates.ts'

/** Values of `decision`. */
export const answerHere = 0
export const forward = 1
/** The plan gives the partition to this instance, which has not taken it yet. */
export const awaitPromotion = 2

export interface RoutedMember extends PlannedMember {
  isSelf: boolean
}

export interface RouteTableSource {
  /** Of the source, as this instance knows it; 0 before it does. */
  readonly partitionCount: number
  own(partition: number): OwnCopy
  /** A holder here has seen keys that the partitioner puts elsewhere. */
  hasStrangers(partition: number): boolean
  /** No instance has a plan yet that knows more than the one of this generation. */
  isCurrent(generation: number): boolean
  isDown(memberId: string): boolean
}

const noRoute = { primary: -1, copies: [] }

export class RouteTable {
  readonly #source: RouteTableSource
  #view: GroupView | undefined
  #self = -1
  #members: readonly RoutedMember[] = []
  #candidates: (readonly string[] | undefined)[] = []
  #hasStrangers = false
  #isComplete = false
  #isAllHere = false
  /** By partition. */
  decision = new Uint8Array(0)

  constructor(source: RouteTableSource) {
    this.#source = source
  }

  get hasPlan(): boolean {
    return this.#view !== undefined
  }

  get partitionCount(): number {
    return this.#source.partitionCount
  }

  get members(): readonly RoutedMember[] {
    return this.#members
  }

  /** Each partition is answered here, so that a key need not be hashed for the decision. */
  get isAllHere(): boolean {
    return this.#isAllHere
  }

  /** Some keys are where the partitioner does not put them. */
  get hasStrangers(): boolean {
    return this.#hasStrangers
  }

  /**
   * The same, or that is not known: a partition was never read to the end that its source had at start, or there may be
   * another plan.
   */
  get mayHaveStrangers(): boolean {
    return this.#hasStrangers || !this.#isComplete || !this.#source.isCurrent(this.#view?.generation ?? -1)
  }

  setGroup(view: GroupView): void {
    this.#view = view
    this.#self = view.plan.members.findIndex(({ memberId }) => memberId === view.memberId)
    this.#members = view.plan.members.map((member, index) => ({ ...member, isSelf: index === this.#self }))
    this.refresh()
  }

  /** Follows what changes without a plan: roles, readiness, peers that are down. */
  refresh(): void {
    const { partitionCount } = this.#source
    const routes = this.#view?.plan.routes ?? []
    if (this.decision.length !== partitionCount) this.decision = new Uint8Array(partitionCount)
    this.#isComplete = routes.length >= partitionCount && routes.every((route) => route.isComplete)
    let hasStrangers = routes.some((route) => route.hasStrangers)
    for (let partition = 0; partition < partitionCount; partition++) {
      this.decision[partition] = this.#decide(partition, routes[partition])
      hasStrangers ||= this.#source.hasStrangers(partition)
    }
    this.#hasStrangers = hasStrangers
    this.#isAllHere = partitionCount > 0 && this.decision.every((one) => one === answerHere)
    this.#candidates = []
  }

  /**
   * Whether keys of a partition may only be in the partitions where they were before: the topic may have grown, and no
   * instance has read the partition to its end yet.
   */
  isUnread(partition: number): boolean {
    return this.#hasStrangers && this.#view?.plan.routes[partition]?.isComplete !== true
  }

  isSelf(memberId: string): boolean {
    return this.#self >= 0 && memberId === this.#view?.memberId
  }

  /** Returns member ids, in the order in which they are asked; this instance included where it has a copy. */
  candidates(partition: number): readonly string[] {
    return (this.#candidates[partition] ??= this.#candidatesOf(partition))
  }

  /** Returns the member that the plan has as primary; undefined if none. */
  primaryOf(partition: number): RoutedMember | undefined {
    const { primary = -1 } = this.#view?.plan.routes[partition] ?? {}
    return this.#members[primary]
  }

  #candidatesOf(partition: number): string[] {
    const route = this.#view?.plan.routes[partition] ?? noRoute
    const own = this.#source.own(partition)
    const isDown = (member: number) => this.#source.isDown(this.#members[member]?.memberId ?? '')
    return candidatesOf(route, this.#self, own, isDown).flatMap((index) => this.#members[index]?.memberId ?? [])
  }

  #decide(partition: number, route: Route | undefined): number {
    const isOwn = route !== undefined && route.primary === this.#self && this.#self >= 0
    // The one that the plan has may have written newer values already.
    const isElsewhere = route !== undefined && route.primary >= 0 && !isOwn
    if (this.#source.own(partition).role === 0 && !isElsewhere) return answerHere
    return isOwn ? awaitPromotion : forward
  }
}
