/**
 * Removes a leader that lives and sends no plan, such as a stranger. The coordinator waits for it as long as any member
 * has asked it to.
 */
import { messageOf } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import { shownMemberId } from './member-data.ts'
import type { MembershipClock } from './membership-options.ts'

const log = loggerOf('group')

/** Sessions that a leader may take for a plan. By then the coordinator has removed one that is dead. */
const sessions = 2

export interface AwaitedPlan {
  leaderId: string
  sessionTimeoutMs: number
  /** Aborted when the plan has come, or is not waited for any more. */
  over: AbortSignal
}

/** Resolves when the wait is over; never rejects. */
export async function removeSilentLeader(
  { leaderId, sessionTimeoutMs, over }: AwaitedPlan,
  clock: MembershipClock,
  expel: (memberId: string) => Promise<void>,
): Promise<void> {
  await clock.sleep(sessions * sessionTimeoutMs, over)
  if (over.aborted) return
  const memberId = shownMemberId(leaderId)
  log.warn('Removing member {memberId} from the group: it leads, and has sent no plan', { memberId })
  // It may be removed already. If not, this is tried again with the next request.
  await expel(leaderId).catch((error: unknown) => log.debug('{error}', { error: messageOf(error) }))
}
