/** Logs why an instance takes no part in its group, and when that ends: once each, conditions are looked at all the time. */
import { loggerOf } from '../log/index.ts'
import type { PlanMessage, ReachedState } from './group-status-of.ts'

const log = loggerOf('group')

export class GroupLog {
  readonly #group: string
  #excludedReason: string | undefined
  #unreadReason: string | undefined
  #isReachable = true
  #differing = ''

  /** @param group its name */
  constructor(group: string) {
    this.#group = group
  }

  planned({ excludedReason: reason, differing }: Pick<PlanMessage, 'excludedReason' | 'differing'>): void {
    const group = this.#group
    if (this.#unreadReason !== undefined) {
      this.#unreadReason = undefined
      if (reason === undefined) log.info('A plan of group {group} has come for this instance again', { group })
    }
    if (reason !== this.#excludedReason) {
      this.#excludedReason = reason
      if (reason === undefined) log.info('Group {group} has this instance in its plan now', { group })
      else log.warn('This instance gets nothing of group {group}: {reason}', { group, reason })
    }
    const names = differing.join(', ')
    if (names === this.#differing) return
    this.#differing = names
    if (names === '') log.info('Settings of the instances of group {group} agree now', { group })
    else log.warn('Settings differ between the instances of group {group}: {names}', { group, names })
  }

  /** The present plan cannot be read. */
  unread({ reason }: { reason: string }): void {
    if (reason === this.#unreadReason) return
    this.#unreadReason = reason
    log.warn('No plan comes for this instance of group {group}: {reason}', { group: this.#group, reason })
  }

  /** Not known yet says nothing. */
  reached({ isReachable, reason }: ReachedState): void {
    if (isReachable === null || isReachable === this.#isReachable) return
    this.#isReachable = isReachable
    const found = reason ?? 'the other instances do not reach it'
    if (isReachable) log.info('The other instances reach this one now')
    else log.warn('Being reached by the other instances: {found}. Correct ADVERTISED_URL, or the network', { found })
  }
}
