/** What has to be true of a simulated group at every moment, and in the end. */
import type { SimulatedInstance } from './instance.ts'
import type { SimulatedLog } from './log.ts'
import type { Profile } from './profile.ts'

export class Invariants {
  readonly #logs: readonly SimulatedLog[]
  readonly #sourceEndAtStart: number
  readonly #fail: (found: string) => never
  readonly #checked = new Map<SimulatedLog, { offset: number; source: number; epoch: number }>()

  constructor(logs: readonly SimulatedLog[], sourceEndAtStart: number, fail: (found: string) => never) {
    this.#logs = logs
    this.#sourceEndAtStart = sourceEndAtStart
    this.#fail = fail
  }

  check(instances: readonly SimulatedInstance[]): void {
    for (const [partition, log] of this.#logs.entries()) {
      const claiming = instances.filter((one) => one.claims(partition))
      if (claiming.length > 1) {
        this.#fail(`${claiming.map(({ name }) => name).join()} both claim partition ${partition}`)
      }
      this.#checkLog(partition, log, instances)
    }
  }

  /** Every record of the source once, in order; and a complete plan knows all that was there at the beginning. */
  #checkLog(partition: number, log: SimulatedLog, instances: readonly SimulatedInstance[]): void {
    const at = this.#checked.get(log) ?? { offset: 0, source: 0, epoch: -1 }
    for (; at.offset < log.end; at.offset++) {
      const { epoch, source } = log.entries[at.offset]!
      if (epoch < at.epoch) this.#fail(`partition ${partition}: epoch ${epoch} after ${at.epoch}`)
      at.epoch = epoch
      if (source === undefined) continue
      if (source !== at.source) this.#fail(`partition ${partition}: record ${source} in place of ${at.source}`)
      at.source++
    }
    this.#checked.set(log, at)
    if (at.source >= this.#sourceEndAtStart) return
    const believing = instances.find(({ plan }) => plan?.routes[partition]?.isComplete === true)
    if (believing) this.#fail(`${believing.name} takes partition ${partition} for complete with ${at.source} records`)
  }
}

export interface Rest {
  logs: readonly SimulatedLog[]
  /** Instances that live and fit. */
  instances: readonly SimulatedInstance[]
  profile: Profile
  sourceEnd: number
  /** Since the last plan. */
  quietMs: number
}

/** Why a group without disturbances is not what it shall be in the end; undefined if it is. */
export function whyUnsettled({ logs, instances, profile, sourceEnd, quietMs }: Rest): string | undefined {
  if (instances.some(({ isLeaving }) => isLeaving)) return 'an instance has not left'
  const { hasRoom, standbys } = profile
  // Copies that are dropped make room for others.
  if (hasRoom && quietMs < 10_000) return 'plans still come'
  const copiesMin = hasRoom ? 1 : Math.min(standbys, instances.length - 1) + 1
  if (instances.some(({ membership }) => membership.state !== 'stable')) return 'an instance joins'
  if (instances.some(({ plan }) => plan?.routes.some(({ target }) => target >= 0))) return 'a target still reads'
  const counts = new Map(instances.map((one) => [one, 0]))
  let copiesInAll = 0
  for (const [partition, log] of logs.entries()) {
    const claiming = instances.filter((one) => one.claims(partition))
    // It did not fit when it was there. The group takes it again when an instance joins.
    if (claiming.length === 0 && hasRoom && !instances.some((one) => one.copies.has(partition))) continue
    if (claiming.length !== 1) return `${claiming.length} instances claim partition ${partition}`
    counts.set(claiming[0]!, counts.get(claiming[0]!)! + 1)
    const copies = instances.filter((one) => one.copies.get(partition)?.isReady === true)
    if (copies.length < copiesMin) return `${copies.length} copies of partition ${partition}`
    copiesInAll += instances.filter((one) => one.copies.has(partition)).length
    if (log.upTo(log.end).nextSource < sourceEnd) return 'the source is not read'
    if (instances.some(({ membership }) => membership.state !== 'stable')) return 'an instance joins'
    if (instances.some(({ plan }) => plan?.routes[partition]?.isComplete !== true)) {
      return `partition ${partition} is not complete`
    }
  }
  if (hasRoom) return undefined
  if (copiesInAll > copiesMin * logs.length) return `${copiesInAll} copies, more than wanted`
  const spread = Math.max(...counts.values()) - Math.min(...counts.values())
  return spread > 1 ? `unbalanced: ${[...counts.values()].join()}` : undefined
}
