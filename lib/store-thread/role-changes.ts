/**
 * Brings the roles of the held partitions to what is wanted, while the store runs: replicas become primaries, and
 * primaries replicas. A partition has one change at a time. Later wishes replace earlier ones.
 */
import { LatchkeyError } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { Primaries } from './primaries.ts'
import { readChangelog } from './read-changelog.ts'
import type { Replicas } from './replicas.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

export class RoleChanges {
  readonly #context: StoreContext
  readonly #primaries: Primaries
  readonly #replicas: Replicas
  readonly #changing = new Set<number>()
  /** Partitions that could not be taken. They are tried again with the next wish. */
  readonly #refused = new Set<number>()
  #wanted: WantedRoles | undefined
  #isRunning = false

  constructor(context: StoreContext, primaries: Primaries, replicas: Replicas) {
    this.#context = context
    this.#primaries = primaries
    this.#replicas = replicas
  }

  /** To be called when everything recovered is visible, and the primaries run. */
  begin(): void {
    this.#isRunning = true
    this.#look()
  }

  /** A partition in both lists becomes a primary. */
  want({ primaries, replicas }: WantedRoles): void {
    this.#wanted = { primaries, replicas: replicas.filter((partition) => !primaries.includes(partition)) }
    this.#refused.clear()
    this.#look()
  }

  stop(): void {
    this.#isRunning = false
  }

  #look(): void {
    if (!this.#isRunning || this.#wanted === undefined) return
    const { primaries, replicas } = this.#context.roles
    const wanted = { primaries: new Set(this.#wanted.primaries), replicas: new Set(this.#wanted.replicas) }
    const isFree = (partition: number) => !this.#changing.has(partition) && !this.#refused.has(partition)
    const released = primaries.filter((partition) => wanted.replicas.has(partition) && isFree(partition))
    const taken = replicas.filter((partition) => wanted.primaries.has(partition) && isFree(partition))
    for (const partition of released) this.#change([partition], () => this.#release(partition))
    if (taken.length > 0) this.#change(taken, () => this.#take(taken))
  }

  #change(partitions: readonly number[], change: () => Promise<void>): void {
    const { clients, failed, roles, post } = this.#context
    for (const partition of partitions) this.#changing.add(partition)
    change()
      .then(() => post({ type: 'roles', primaries: [...roles.primaries], replicas: [...roles.replicas] }))
      .catch((error: unknown) => {
        if (clients.changelog.signal.aborted) return
        if (!(error instanceof LatchkeyError) || error.code !== 'fenced') return failed(error)
        for (const partition of partitions) this.#refused.add(partition)
        log.warn('{fault}', { fault: error.message })
      })
      .finally(() => {
        for (const partition of partitions) this.#changing.delete(partition)
        this.#look()
      })
  }

  /** Makes replicas primaries. */
  async #take(partitions: readonly number[]): Promise<void> {
    const since = performance.now()
    const { handover } = this.#replicas
    const warm = partitions.filter((partition) => handover.isWarm(partition))
    const cold = partitions.filter((partition) => !warm.includes(partition))
    handover.expect(warm)
    try {
      await this.#primaries.take(partitions, {
        // The main client waits for records of the source most of the time.
        client: this.#context.clients.source,
        isRebuildAsked: false,
        before: () => {},
        read: async (ownership, committed) => {
          const recovered = await handover.readToMarkers(warm, ownership)
          if (cold.length === 0) return recovered
          await handover.empty(cold)
          const context = { ...this.#context, snapshots: undefined }
          const read = await readChangelog(context, ownership, committed, cold)
          for (const partition of cold) this.#context.map.open(partition)
          return new Map([...recovered, ...read])
        },
      })
    } catch (error) {
      handover.cancel(warm)
      throw error
    }
    handover.forget(partitions)
    const ms = Math.round(performance.now() - since)
    log.info('Partitions {partitions} are primaries now, after {ms} ms', { partitions, ms })
  }

  /** Makes a primary a replica. */
  async #release(partition: number): Promise<void> {
    await this.#replicas.adopt(partition, await this.#primaries.release(partition))
    log.info('Partition {partition} is a replica now', { partition })
  }
}
