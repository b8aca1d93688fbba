/**
 * Brings the roles of partitions to what is wanted, while the store runs: replicas become primaries, and primaries
 * replicas. If partitions come and go, others are copied first, and what is not wanted any more leaves. A partition has one
 * change at a time. Later wishes replace earlier ones.
 */
import { LatchkeyError } from '../errors.ts'
import { type CommittedOffset, fetchCommitted } from '../kafka/offsets.ts'
import { loggerOf } from '../log/index.ts'
import { isHidden, partitionStateOf } from '../store-protocol/partition-state.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import { groupOf } from '../topics/clients.ts'
import { heldIn, rebuildingMetadata } from '../topics/completeness.ts'
import { AwaitedRebuilds } from './awaited-rebuilds.ts'
import { CopyGauges } from './copy-gauges.ts'
import { Fills } from './fills.ts'
import { Lingering } from './lingering.ts'
import type { Primaries } from './primaries.ts'
import { heldCopyOf } from './primary-copies.ts'
import { Promotions } from './promotions.ts'
import type { Replicas } from './replicas.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

const lingerMsDefault = 5_000
/** How often it is looked whether there is room for what did not fit: deletions make some, too. */
const roomMs = 5_000

export class RoleChanges {
  readonly #context: StoreContext
  readonly #primaries: Primaries
  readonly #replicas: Replicas
  readonly #changing = new Set<number>()
  /** Partitions that could not be taken. They are tried again with the next wish. */
  readonly #refused = new Set<number>()
  /** Primaries that another instance has taken, or may have. They continue as replicas, if partitions come and go. */
  readonly #taken = new Set<number>()
  readonly #lingering: Lingering
  readonly #gauges: CopyGauges | undefined
  readonly #promotions: Promotions
  readonly #fills: Fills
  readonly #rebuilds: AwaitedRebuilds
  #roomTimer: ReturnType<typeof setInterval> | undefined
  #wanted: WantedRoles | undefined
  /** Of a group: the last one that a wish was made from. */
  #plan: string | undefined
  #isRunning = false

  constructor(context: StoreContext, primaries: Primaries, replicas: Replicas) {
    this.#context = context
    this.#primaries = primaries
    this.#replicas = replicas
    this.#fills = new Fills(context)
    this.#rebuilds = new AwaitedRebuilds({
      committed: (partitions) => this.#committed(partitions),
      over: () => this.#look(),
      failed: (error) => this.#failed(error),
    })
    this.#promotions = new Promotions(context, primaries, replicas.handover, () => this.#look())
    this.#lingering = new Lingering(context.config.elastic?.lingerMs ?? lingerMsDefault, () => this.#look())
    replicas.onFilled(() => {
      // Those that wait for a partition to be complete look again.
      this.#report()
      this.#look()
    })
    replicas.onFormer(() => this.#look())
    context.memory.onChange(() => this.#look())
    if (context.config.elastic !== undefined) {
      const copyOf = (partition: number) => heldCopyOf(primaries.parts, partition) ?? replicas.copyOf(partition)
      this.#gauges = new CopyGauges(context.stats, copyOf)
      this.#roomTimer = setInterval(() => this.#fills.isShort && this.#look(), roomMs)
      this.#roomTimer.unref()
      primaries.events.onTaken((partition) => {
        this.#taken.add(partition)
        this.#refused.add(partition)
        this.#look()
      })
    }
  }

  /** To be called when everything recovered is visible, and the primaries run. */
  begin(): void {
    this.#isRunning = true
    this.#look()
  }

  /** A partition in both lists becomes a primary. */
  want({ primaries, replicas, member, isLast, strangers }: WantedRoles): void {
    if (strangers !== undefined) this.#context.strangers?.known(strangers)
    const plan = member && `${member.memberId} ${member.generation}`
    // A plan that is repeated knows no better than before who has what this instance has lost.
    if (plan === undefined || (plan !== null && plan !== this.#plan)) this.#refused.clear()
    if (plan) this.#plan = plan
    // Others may have them, also if the next plan gives them back before they are released.
    const mayBeLost = plan === null && isLast !== true ? this.#context.roles.primaries : []
    for (const partition of mayBeLost) this.#taken.add(partition)
    this.#wanted = { primaries, replicas: replicas.filter((partition) => !primaries.includes(partition)) }
    this.#look()
  }

  stop(): void {
    this.#isRunning = false
    this.#lingering.stop()
    this.#promotions.stop()
    this.#rebuilds.stop()
    this.#gauges?.stop()
    clearInterval(this.#roomTimer)
  }

  #look(): void {
    if (!this.#isRunning) return
    const { config, memory, roles, stats } = this.#context
    const isFree = (partition: number) => !this.#changing.has(partition)
    for (const partition of roles.primaries.filter((one) => this.#taken.has(one) && isFree(one))) {
      this.#change([partition], () => this.#release(partition))
    }
    if (this.#wanted === undefined) return
    const wanted = { primaries: new Set(this.#wanted.primaries), replicas: new Set(this.#wanted.replicas) }
    const isUnwanted = (partition: number) =>
      config.elastic !== undefined && !wanted.primaries.has(partition) && !wanted.replicas.has(partition)
    const mayBeTaken = (partition: number) => isFree(partition) && !this.#refused.has(partition)
    const released = roles.primaries.filter((one) => (wanted.replicas.has(one) || isUnwanted(one)) && isFree(one))
    const taken = roles.replicas.filter((one) => wanted.primaries.has(one) && mayBeTaken(one) && this.#isFilled(one))
    // What is of before a rebuild is held to be rebuilt here, and for nothing else.
    const former = roles.replicas.filter((one) => isHidden(stats, one) && !wanted.primaries.has(one))
    const left = new Set([...this.#lingering.over(roles.replicas.filter(isUnwanted)), ...former].filter(isFree))
    for (const partition of released) this.#change([partition], () => this.#release(partition))
    for (const partition of left) this.#change([partition], () => this.#drop(partition))
    // A full store reads nothing, so it would not reach the end that a fence sets.
    if (!memory.mayRead) return this.#makeRoom(this.#wanted)
    // What is read from the start delays none of the others.
    const warm = taken.filter((partition) => this.#replicas.handover.isWarm(partition))
    for (const some of [warm, taken.filter((partition) => !warm.includes(partition))]) {
      if (some.length > 0 && this.#promotions.mayBegin(some)) this.#change(some, () => this.#take(some))
    }
    if (config.elastic === undefined) return
    const copies = [...wanted.replicas].filter((partition) => !this.#rebuilds.has(partition))
    this.#fill([...wanted.primaries, ...copies])
  }

  /** Has a copy give way, so that the others, and the primaries first, can be kept current. */
  #makeRoom(wanted: WantedRoles): void {
    const { config, memory } = this.#context
    if (config.elastic === undefined || !memory.isFull) return
    const partition = this.#fills.leastWanted(wanted)
    if (partition === undefined || this.#changing.has(partition)) return
    this.#change([partition], () => this.#giveWay(partition))
  }

  /** Begins to copy partitions that are not held, in this order and some at a time. */
  #fill(wanted: readonly number[]): void {
    const { roles, stats } = this.#context
    const isAbsent = (one: number) => !roles.primaries.includes(one) && !roles.replicas.includes(one)
    const absent = wanted.filter((one) => stats.layout.includes(one) && isAbsent(one) && !this.#changing.has(one))
    const beginning = [...this.#changing].filter(isAbsent)
    for (const partition of this.#fills.next(absent, beginning.length)) {
      this.#change([partition], () => this.#add(partition))
    }
  }

  #isFilled(partition: number): boolean {
    return partitionStateOf(this.#context.stats, partition) === 'running'
  }

  #change(partitions: readonly number[], change: () => Promise<void>): void {
    for (const partition of partitions) this.#changing.add(partition)
    change()
      .then(() => this.#report())
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        for (const partition of partitions) this.#changing.delete(partition)
        this.#look()
      })
  }

  #failed(error: unknown): void {
    const { clients, failed } = this.#context
    if (!clients.changelog.signal.aborted) failed(error)
  }

  #committed(partitions: readonly number[]): Promise<Map<number, CommittedOffset>> {
    const { clients, config } = this.#context
    const { source } = clients
    return source.retryForever(() => fetchCommitted(source, groupOf(config), config.sourceTopic, partitions))
  }

  #report(): void {
    const { roles, post } = this.#context
    post({ type: 'roles', primaries: [...roles.primaries], replicas: [...roles.replicas] })
  }

  /** Makes replicas primaries. */
  async #take(partitions: readonly number[]): Promise<void> {
    const refused = await this.#promotions.take(partitions)
    for (const [partition, fault] of refused) {
      this.#refused.add(partition)
      log.warn('{fault}', { fault: fault.message })
    }
  }

  /** Makes a primary a replica. */
  async #release(partition: number): Promise<void> {
    await this.#replicas.adopt(partition, await this.#primaries.release(partition))
    this.#taken.delete(partition)
    log.info('Partition {partition} is a replica now', { partition })
  }

  /** Begins to copy a partition that is not held. */
  async #add(partition: number): Promise<void> {
    const { stats } = this.#context
    const metadata = (await this.#committed([partition])).get(partition)?.metadata ?? ''
    const isFormer = metadata === rebuildingMetadata
    if (isFormer && this.#wanted?.primaries.includes(partition) !== true) return this.#rebuilds.add(partition)
    const stated = heldIn(metadata)
    if (!this.#fills.begins(partition, stated)) return
    stats.setGauge(partition, 'hidden', isFormer ? 1 : 0)
    try {
      await this.#replicas.add(partition, stated.entries)
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.code !== 'memory_exhausted') throw error
      await this.#giveWay(partition)
    }
  }

  /** Drops a copy for which there is no memory. */
  async #giveWay(partition: number): Promise<void> {
    const bytes = this.#fills.needed(partition)
    if (this.#context.roles.replicas.includes(partition)) await this.#drop(partition)
    this.#fills.refuse(partition, bytes)
    this.#context.memory.freed()
  }

  async #drop(partition: number): Promise<void> {
    await this.#replicas.drop(partition)
    log.info('Partition {partition} is not held any more', { partition })
  }
}
