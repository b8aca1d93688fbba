/** Makes what an instance says of its group, when something in it has changed. */
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { Condition } from '../store-protocol/status.ts'
import { type GroupFacts, groupStatusOf, type PlanMessage } from './group-status-of.ts'

export class GroupReports {
  #text = ''
  #planned: PlanMessage | undefined

  /** Returns undefined if nothing has changed. */
  next(facts: GroupFacts, conditions: readonly Condition[]): GroupReport | undefined {
    const { state, url, reached, trouble, planned } = facts
    // All that a report is made of. A plan is compared by identity: the group may have thousands of partitions.
    const text = JSON.stringify([state, url, [...reached], trouble, conditions])
    if (planned === this.#planned && text === this.#text) return undefined
    this.#text = text
    this.#planned = planned
    return { ...(planned && { view: planned.view }), status: groupStatusOf(facts), conditions }
  }
}
