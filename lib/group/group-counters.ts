/** Counts plans by reason, and partitions that have moved to this instance. */
import { type GroupFigures, type RebalanceReason, rebalanceReasons } from '../group-protocol/group-figures.ts'
import type { GroupPlan } from '../group-protocol/member.ts'

export class GroupCounters {
  readonly #rebalances = Object.fromEntries(rebalanceReasons.map((reason) => [reason, 0])) as GroupFigures['rebalances']
  #moves = 0
  #reason: RebalanceReason = 'joined'
  /** Ids of instances, by partition: they stay the same when an instance joins again. */
  #primaries: readonly (string | undefined)[] = []

  /** This member asks for another plan, or has to join as a new member. */
  asked(reason: RebalanceReason): void {
    this.#reason = reason
  }

  /** A plan has come that cannot be read. */
  unread(): void {
    this.#rebalances[this.#reason]++
    this.#reason = 'other'
  }

  planned(plan: GroupPlan, memberId: string): void {
    this.unread()
    const own = plan.members.findIndex((member) => member.memberId === memberId)
    const ownId = plan.members[own]?.id
    for (const [partition, { primary }] of plan.routes.entries()) {
      const former = this.#primaries[partition]
      if (own >= 0 && primary === own && former !== undefined && former !== ownId) this.#moves++
    }
    this.#primaries = plan.routes.map(({ primary }) => plan.members[primary]?.id)
  }

  get figures(): GroupFigures {
    return { rebalances: { ...this.#rebalances }, moves: this.#moves }
  }
}
