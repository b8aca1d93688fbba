/** What this instance says of itself when it joins. */
import type { MemberReport } from '../group-protocol/member.ts'
import type { GroupConfig } from '../store-protocol/group-messages.ts'
import { mapBudgetOf } from '../store-protocol/memory-budget.ts'
import { clientsConfigOf } from '../topics/clients.ts'
import { comparedSettings } from './compared-settings.ts'
import { hashSettings } from './settings.ts'

/** The part that changes. */
export type ReportNow = Pick<MemberReport, 'url' | 'partitionCount' | 'isLeaving' | 'isUnreachable' | 'held' | 'unfit'>

/** Returns the function that adds to a report what stays the same. */
export function memberReports({ id, store, standbys, routing }: GroupConfig): (now: ReportNow) => MemberReport {
  const same = {
    id,
    rack: clientsConfigOf(store).consumer.fetch.rack,
    startedAtMs: Date.now(),
    settings: hashSettings(comparedSettings(store, { standbys, routing })),
    roomBytes: mapBudgetOf(store) ?? Number.POSITIVE_INFINITY,
  }
  return (now) => ({ ...same, ...now })
}
