/** What the group says, as the main thread passes it to every thread that reads the store. Plain data. */
import type { GroupStatus } from '../group-protocol/group-status.ts'
import type { GroupView } from '../group-protocol/group-view.ts'
import type { Condition } from './status.ts'

export interface GroupReport {
  /** Undefined before the first plan. */
  readonly view?: GroupView
  /** Of the moment: the lease is read from shared memory. */
  readonly status: GroupStatus
  /** Conditions of readiness. */
  readonly conditions: readonly Condition[]
}
