/** Logs what a handover at a stop waits for, once for each change, and how it has ended. */
import type { GroupView } from '../group-protocol/group-view.ts'
import { loggerOf } from '../log/index.ts'
import { nounFor } from '../text/counted.ts'
import { rangesOf } from '../text/ranges.ts'
import { isAlone } from './wanted-roles.ts'

const log = loggerOf('group')

const rangesMax = 12

export class HandoverLog {
  readonly #beganAtMs = performance.now()
  readonly #first: readonly number[]
  #waitsFor = ''

  /**
   * @param view the present plan; undefined if there is none
   * @param held partitions that this instance is primary of
   * @param seconds 0 if it does not wait, as after a failure
   */
  constructor(view: GroupView | undefined, held: readonly number[], seconds: number) {
    const others = isAlone(view) ? 'no other instance of the group is there to take' : 'without a handover of'
    const hasTime = seconds > 0 && !isAlone(view)
    this.#first = hasTime ? held : []
    if (held.length === 0) return
    const partitions = partitionsOf(held)
    if (hasTime) log.info('Handing over {partitions}, for {seconds} s at most', { partitions, seconds })
    else log.info('Leaving the group: {others} {partitions}', { others, partitions })
  }

  look(view: GroupView | undefined, held: readonly number[]): void {
    if (this.#first.length === 0 || held.length === 0) return
    const waitsFor = awaitedOf(view, held)
    if (waitsFor === this.#waitsFor) return
    this.#waitsFor = waitsFor
    log.info('Handing over: {waitsFor}', { waitsFor })
  }

  /** The group is left. */
  ended(view: GroupView | undefined, held: readonly number[]): void {
    if (this.#first.length === 0) return
    const seconds = ((performance.now() - this.#beganAtMs) / 1000).toFixed(1)
    if (held.length === 0) {
      log.info('Handed over {partitions} in {seconds} s', { partitions: partitionsOf(this.#first), seconds })
      return
    }
    const waitsFor = awaitedOf(view, held)
    log.warn('Handing over: not done within {seconds} s, {waitsFor}. Raise HANDOVER_SECONDS if that lasts longer', {
      seconds,
      waitsFor,
    })
  }
}

/** Returns which instances take what this one is still primary of. Pure. */
export function awaitedOf(view: GroupView | undefined, held: readonly number[]): string {
  const own = view?.plan.members.findIndex(({ memberId }) => memberId === view.memberId) ?? -1
  if (view === undefined || view.plan.members[own]?.isLeaving !== true) {
    return `the next plan says who takes ${partitionsOf(held)}`
  }
  const { members, routes } = view.plan
  const found = Map.groupBy(held, (partition) => {
    const { primary = -1, target = -1 } = routes[partition] ?? {}
    if (primary >= 0 && primary !== own) return `${members[primary]!.url} takes`
    if (target >= 0 && target !== own) return `${members[target]!.url} reads, to take them then,`
    return 'no instance can take'
  })
  return [...found].map(([what, partitions]) => `${what} ${partitionsOf(partitions)}`).join('; ')
}

function partitionsOf(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((one, other) => one - other)
  return `${nounFor(numbers.length, 'partition')} ${rangesOf(sorted, rangesMax)}`
}
