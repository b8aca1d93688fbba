import type { GroupPlan } from './member.ts'

/** The present plan, as one instance has got it. The main thread passes it to HTTP threads, which route by it. */
export interface GroupView {
  plan: GroupPlan
  /** Of this instance: `plan.members` has it unless the instance is excluded. */
  memberId: string
  generation: number
}
