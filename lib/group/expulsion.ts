/**
 * Removes a dead member before its session ends. A process that has died refuses connections, and so does a listener
 * that restarts or a URL that is wrong. So a refusal counts for a member that was reached at this URL under this member
 * id before, and only if a second connection is refused as well. An instance is removed once a minute at most.
 */
import { LatchkeyError } from '../errors.ts'
import type { PlannedMember } from '../group-protocol/member.ts'
import { loggerOf } from '../log/index.ts'

const log = loggerOf('group')

/** Between a refusal and the connection that confirms it. */
export const confirmAfterMs = 250
const intervalMs = 60_000

export interface ExpulsionEvents {
  /** A member may be removed soon, by this one or by another one. */
  suspected: () => void
  /** Connects to a URL. @returns whether the connection was refused; every other failure is false */
  isRefused: (url: string) => Promise<boolean>
  /** Removes a member from the group. */
  expel: (memberId: string) => Promise<void>
  nowMs: () => number
  sleep: (ms: number) => Promise<void>
}

interface Watched {
  id: string
  url: string
  /** It has said that it is going to leave. */
  isLeaving: boolean
  wasReached: boolean
  isConfirming: boolean
}

export class Expulsions {
  readonly #events: ExpulsionEvents
  /** By member id: the other members of the present plan. */
  #members = new Map<string, Watched>()
  /** By id of the instance. */
  readonly #expelledAtMs = new Map<string, number>()

  constructor(events: ExpulsionEvents) {
    this.#events = events
  }

  /** Takes the members of a new plan. A member that has another URL has to be reached again. */
  planned(members: readonly PlannedMember[], ownMemberId: string): void {
    const before = this.#members
    this.#members = new Map()
    for (const { memberId, id, url, isLeaving = false } of members) {
      if (memberId === ownMemberId) continue
      const known = before.get(memberId)
      const watched = known?.url === url ? known : { id, url, isLeaving, wasReached: false, isConfirming: false }
      watched.isLeaving = isLeaving
      this.#members.set(memberId, watched)
    }
    for (const [id, atMs] of this.#expelledAtMs) {
      if (this.#events.nowMs() - atMs >= intervalMs) this.#expelledAtMs.delete(id)
    }
  }

  /** A member has answered, and said that it is this one. */
  reached(memberId: string, url: string): void {
    const member = this.#members.get(memberId)
    if (member?.url === url) member.wasReached = true
  }

  /** A member has refused a connection. Resolves when it is clear what follows; never rejects but for a defect. */
  async suspect(memberId: string): Promise<void> {
    const member = this.#members.get(memberId)
    if (member === undefined || !member.wasReached || member.isConfirming) return
    if (!this.#mayExpel(member)) return
    member.isConfirming = true
    this.#events.suspected()
    try {
      await this.#events.sleep(confirmAfterMs)
      if (!(await this.#events.isRefused(member.url))) return
      // A plan may have come meanwhile, in which the member has another URL, or is not there.
      if (this.#members.get(memberId) === member && this.#mayExpel(member)) await this.#expel(memberId, member)
    } finally {
      member.isConfirming = false
    }
  }

  #mayExpel({ id }: Watched): boolean {
    return this.#events.nowMs() - (this.#expelledAtMs.get(id) ?? Number.NEGATIVE_INFINITY) >= intervalMs
  }

  async #expel(memberId: string, { id, url, isLeaving }: Watched): Promise<void> {
    this.#expelledAtMs.set(id, this.#events.nowMs())
    const message = 'Removing member {memberId} from the group: {url} refuses connections'
    // One that leaves closes its port a little before the plan without it comes.
    if (isLeaving) log.debug(message, { memberId, url })
    else log.warn(message, { memberId, url })
    try {
      await this.#events.expel(memberId)
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error
      // Another member was first, or the coordinator does not answer: then the session ends by itself.
      log.debug('{error}', { error: error.message })
    }
  }
}
