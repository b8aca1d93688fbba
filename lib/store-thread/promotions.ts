/** Makes replicas primaries: fences them, has them read up to the own markers, and writes on from there. */
import type { LatchkeyError } from '../errors.ts'
import { GroupNotice } from '../group-protocol/group-notice.ts'
import { loggerOf } from '../log/index.ts'
import type { Primaries } from './primaries.ts'
import { readChangelog } from './read-changelog.ts'
import type { ReplicaHandover } from './replica-handover.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

/** Between two looks whether the plan is there. A join takes some 20 ms, or as long as a member is silent. */
const joiningPauseMs = 20

export class Promotions {
  readonly #context: StoreContext
  readonly #primaries: Primaries
  readonly #handover: ReplicaHandover
  readonly #notice: GroupNotice | undefined
  readonly #retry: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param retry called when promotions that were not allowed may be */
  constructor(context: StoreContext, primaries: Primaries, handover: ReplicaHandover, retry: () => void) {
    this.#context = context
    this.#primaries = primaries
    this.#handover = handover
    this.#retry = retry
    const { notice } = context.config.elastic ?? {}
    this.#notice = notice && new GroupNotice(notice)
  }

  /**
   * Marks partitions as being promoted. take() must follow.
   * @returns false while the instance has reported what it holds and has no plan yet: another one may be to take them
   */
  mayBegin(partitions: readonly number[]): boolean {
    // In this order, with that of GroupNotice.isJoining: either the report has the promotion, or the promotion waits.
    this.#mark(partitions, true)
    if (this.#notice?.isJoining !== true) return true
    this.#mark(partitions, false)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#retry()
    }, joiningPauseMs)
    return false
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** @returns those that another instance has taken meanwhile */
  async take(partitions: readonly number[]): Promise<Map<number, LatchkeyError>> {
    try {
      return await this.#take(partitions)
    } finally {
      this.#mark(partitions, false)
    }
  }

  async #take(partitions: readonly number[]): Promise<Map<number, LatchkeyError>> {
    const since = performance.now()
    const { clients, map, roles, stats } = this.#context
    const handover = this.#handover
    const refused = new Map<number, LatchkeyError>()
    const warm = partitions.filter((partition) => handover.isWarm(partition))
    handover.expect(warm)
    try {
      await this.#primaries.take(partitions, {
        // The main client waits for records of the source most of the time.
        client: clients.source,
        isRebuildAsked: false,
        before: () => {},
        refused: (partition, error) => void refused.set(partition, error),
        read: async (ownership, committed, fenced) => {
          const recovered = await handover.readToMarkers(
            fenced.filter((partition) => warm.includes(partition)),
            ownership,
          )
          const cold = fenced.filter((partition) => !warm.includes(partition))
          if (cold.length === 0) return recovered
          await handover.empty(cold)
          const context = { ...this.#context, snapshots: undefined }
          const read = await readChangelog(context, ownership, committed, cold)
          for (const partition of cold) map.open(partition)
          return new Map([...recovered, ...read])
        },
      })
    } catch (error) {
      handover.cancel(warm)
      throw error
    }
    const taken = partitions.filter((partition) => roles.primaries.includes(partition))
    handover.forget(taken)
    // They are tried again, except those that were refused.
    handover.cancel(warm.filter((partition) => !taken.includes(partition)))
    const ms = Math.round(performance.now() - since)
    stats.add('promotions', taken.length)
    stats.add('promotionSeconds', (taken.length * ms) / 1000)
    if (taken.length > 0) {
      log.info('Partitions {partitions} are primaries now, after {ms} ms', { partitions: taken, ms })
    }
    return refused
  }

  #mark(partitions: readonly number[], isPromoting: boolean): void {
    for (const partition of partitions) this.#context.stats.setGauge(partition, 'promoting', isPromoting ? 1 : 0)
  }
}
