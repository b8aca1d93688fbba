/**
 * Brings the roles of partitions to what is wanted, while the store runs: replicas become primaries, and primaries
 * replicas. If partitions come and go, others are copied first, and what is not wanted any more leaves. A partition has one
 * change at a time. Later wishes replace earlier ones.
 */
import { LatchkeyError } from '../errors.ts'
import { fetchCommitted } from '../kafka/offsets.ts'
import { loggerOf } from '../log/index.ts'
import { partitionStateOf } from '../store-protocol/partition-state.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import { groupOf } from '../topics/clients.ts'
import { heldIn } from '../topics/completeness.ts'
import { Lingering } from './lingering.ts'
import type { Primaries } from './primaries.ts'
import { readChangelog } from './read-changelog.ts'
import type { Replicas } from './replicas.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

/** Partitions of an instance that are filled at the same time. */
const fillsMax = 4
const lingerMsDefault = 5_000

export class RoleChanges {
  readonly #context: StoreContext
  readonly #primaries: Primaries
  readonly #replicas: Replicas
  readonly #changing = new Set<number>()
  /** Partitions that could not be taken. They are tried again with the next wish. */
  readonly #refused = new Set<number>()
  readonly #lingering: Lingering
  #wanted: WantedRoles | undefined
  #isRunning = false

  constructor(context: StoreContext, primaries: Primaries, replicas: Replicas) {
    this.#context = context
    this.#primaries = primaries
    this.#replicas = replicas
    this.#lingering = new Lingering(context.config.elastic?.lingerMs ?? lingerMsDefault, () => this.#look())
    replicas.onFilled(() => {
      // Those that wait for a partition to be complete look again.
      this.#report()
      this.#look()
    })
    context.memory.onChange(() => this.#look())
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
    this.#lingering.stop()
  }

  #look(): void {
    if (!this.#isRunning || this.#wanted === undefined) return
    const { config, memory, roles } = this.#context
    const wanted = { primaries: new Set(this.#wanted.primaries), replicas: new Set(this.#wanted.replicas) }
    const isUnwanted = (partition: number) =>
      config.elastic !== undefined && !wanted.primaries.has(partition) && !wanted.replicas.has(partition)
    const isFree = (partition: number) => !this.#changing.has(partition) && !this.#refused.has(partition)
    const released = roles.primaries.filter((one) => (wanted.replicas.has(one) || isUnwanted(one)) && isFree(one))
    const taken = roles.replicas.filter((one) => wanted.primaries.has(one) && isFree(one) && this.#isFilled(one))
    const left = this.#lingering.over(roles.replicas.filter(isUnwanted)).filter(isFree)
    for (const partition of released) this.#change([partition], () => this.#release(partition))
    for (const partition of left) this.#change([partition], () => this.#drop(partition))
    // A full store reads nothing, so it would not reach the end that a fence sets.
    if (!memory.mayRead) return
    // What is read from the start delays none of the others.
    const warm = taken.filter((partition) => this.#replicas.handover.isWarm(partition))
    for (const some of [warm, taken.filter((partition) => !warm.includes(partition))]) {
      if (some.length > 0) this.#change(some, () => this.#take(some))
    }
    if (config.elastic !== undefined) this.#fill([...wanted.primaries, ...wanted.replicas])
  }

  /** Begins to copy partitions that are not held, in this order and some at a time. */
  #fill(wanted: readonly number[]): void {
    const { config, roles, stats } = this.#context
    const isAbsent = (one: number) => !roles.primaries.includes(one) && !roles.replicas.includes(one)
    const absent = wanted.filter((one) => stats.layout.includes(one) && isAbsent(one) && !this.#changing.has(one))
    const most = Math.max(1, Math.floor(fillsMax / (config.storeThreads ?? 1)))
    const beginning = [...this.#changing].filter(isAbsent)
    const room = most - beginning.length - roles.replicas.filter((one) => !this.#isFilled(one)).length
    for (const partition of absent.slice(0, Math.max(0, room))) {
      this.#change([partition], () => this.#add(partition))
    }
  }

  #isFilled(partition: number): boolean {
    return partitionStateOf(this.#context.stats, partition) === 'running'
  }

  #change(partitions: readonly number[], change: () => Promise<void>): void {
    const { clients, failed } = this.#context
    for (const partition of partitions) this.#changing.add(partition)
    change()
      .then(() => this.#report())
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

  #report(): void {
    const { roles, post } = this.#context
    post({ type: 'roles', primaries: [...roles.primaries], replicas: [...roles.replicas] })
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
    const taken = partitions.filter((partition) => this.#context.roles.primaries.includes(partition))
    handover.forget(taken)
    // They are tried again.
    handover.cancel(warm.filter((partition) => !taken.includes(partition)))
    const ms = Math.round(performance.now() - since)
    if (taken.length === 0) return
    log.info('Partitions {partitions} are primaries now, after {ms} ms', { partitions: taken, ms })
  }

  /** Makes a primary a replica. */
  async #release(partition: number): Promise<void> {
    await this.#replicas.adopt(partition, await this.#primaries.release(partition))
    log.info('Partition {partition} is a replica now', { partition })
  }

  /** Begins to copy a partition that is not held. */
  async #add(partition: number): Promise<void> {
    const { clients, config } = this.#context
    const { source } = clients
    const committed = await source.retryForever(() =>
      fetchCommitted(source, groupOf(config), config.sourceTopic, [partition]),
    )
    await this.#replicas.add(partition, heldIn(committed.get(partition)?.metadata ?? '').entries)
  }

  async #drop(partition: number): Promise<void> {
    await this.#replicas.drop(partition)
    log.info('Partition {partition} is not held any more', { partition })
  }
}
