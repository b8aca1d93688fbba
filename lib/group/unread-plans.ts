/**
 * Plans that this member cannot read. READ on the group is enough to join it, and the coordinator may make a stranger
 * the leader; or this member has another token than the others. What the coordinator knows of all members decides: a
 * leader that most of the members, this one among them, cannot read is removed, so that one of them leads.
 */
import { LatchkeyError } from '../errors.ts'
import type { DescribedGroup, DescribedMember } from '../kafka/described-group.ts'
import { loggerOf } from '../log/index.ts'
import { shownMemberId } from './member-data.ts'
import { readMember } from './read-member.ts'

const log = loggerOf('group')

/** Another token reaches the instances within this time, one after another: none is removed for that. */
export const graceMs = 3_000
/** After the coordinator did not answer. */
const pauseMs = 1_000
const nameMax = 128

export interface UnreadPlansOptions {
  group: string
  token: () => string | undefined
  describe: () => Promise<DescribedGroup>
  /** Removes a member from the group. */
  expel: (memberId: string) => Promise<void>
  /** What is known of the present plan. Called again when more is. */
  said: (unread: UnreadPlan) => void
}

export interface UnreadPlan {
  /** What was found, and what to do. */
  reason: string
  /** Most of the members have another token than this instance. */
  isOdd: boolean
}

/** A generation whose plan this member cannot read. */
export interface UnreadGeneration {
  memberId: string
  leaderId: string
  /** What was found when it was read. */
  found: string
}

export class UnreadPlans {
  readonly #options: UnreadPlansOptions
  #sinceMs: number | undefined
  #notBeforeMs = Number.NEGATIVE_INFINITY
  /** Until it is looked into. */
  #present: UnreadGeneration | undefined

  constructor(options: UnreadPlansOptions) {
    this.#options = options
  }

  /** Takes a plan that cannot be read. */
  came(generation: UnreadGeneration, nowMs: number): void {
    this.#present = generation
    if (this.#sinceMs !== undefined) return
    this.#sinceMs = nowMs
    this.#options.said({ reason: `${generation.found}; the last one stays`, isOdd: false })
  }

  /** A plan has come that can be read. */
  ended(): void {
    this.#sinceMs = undefined
    this.#present = undefined
  }

  /** Called from time to time. Resolves when the present plan was looked into; never rejects but for a defect. */
  async look(nowMs: number): Promise<void> {
    const present = this.#present
    if (present === undefined || nowMs - this.#sinceMs! < graceMs || nowMs < this.#notBeforeMs) return
    this.#present = undefined
    try {
      const { members } = await this.#options.describe()
      // Another plan may have come meanwhile. While the group rebalances, the coordinator does not say what members have
      // sent; then the next plan is looked into.
      const isCurrent = this.#present === undefined && this.#sinceMs !== undefined
      const isMember = members.some(({ memberId }) => memberId === present.memberId)
      if (isCurrent && isMember) await this.#judge(present, members)
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error
      log.debug('{error}', { error: error.message })
      this.#notBeforeMs = nowMs + pauseMs
      if (this.#sinceMs !== undefined) this.#present ??= present
    }
  }

  async #judge({ leaderId, found }: UnreadGeneration, members: readonly DescribedMember[]): Promise<void> {
    const { group, token, said, expel } = this.#options
    const known = members.filter(({ metadata }) => metadata.length > 0)
    if (known.length === 0) return
    const isRead = (member: DescribedMember) => readMember(group, token(), member.metadata).value !== undefined
    const read = known.filter(isRead)
    const leader = known.find(({ memberId }) => memberId === leaderId)
    const counts = `${read.length} of ${known.length} members have the token of this instance`
    if (leader === undefined || read.includes(leader)) return
    if (read.length * 2 < known.length) {
      said({ reason: `${found}; ${counts}: set SERVER_TOKEN as the others have it`, isOdd: true })
      return
    }
    const who = nameOf(leader)
    const advice = `${who} makes the plans: give it the same SERVER_TOKEN, or take the right to READ group ${group} from it`
    said({ reason: `${found}; the last one stays. ${counts}, and ${advice}`, isOdd: false })
    if (read.length * 2 === known.length) return
    log.warn('Removing {who} from group {group}: it makes the plans, and {found}', { who, group, found })
    await expel(leaderId)
  }
}

function nameOf({ memberId, clientHost }: DescribedMember): string {
  return `member ${shownMemberId(memberId).slice(-nameMax)} at ${clientHost.replace(/^\//, '')}`
}
