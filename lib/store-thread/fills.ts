/**
 * Which partitions an instance begins to copy, and which copies give way where there is no memory for them. What is held
 * already is worth more than what comes. Only where partitions come and go.
 */
import { loggerOf } from '../log/index.ts'
import { lastingBytesFor, type StatedSize } from '../store-protocol/memory-budget.ts'
import { partitionStateOf } from '../store-protocol/partition-state.ts'
import type { RolePartitions } from '../store-protocol/roles.ts'
import { mebibytes } from '../text/byte-size.ts'
import { advice, leaves } from '../topics/memory-fit.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

/** Partitions of an instance that are filled at the same time; with more store threads, one in each. */
const fillsMax = 4

export class Fills {
  readonly #context: StoreContext
  /** Bytes that partitions need at least that are being filled. */
  readonly #needed = new Map<number, number>()
  /** Bytes that partitions need at least for which there was no room. The group knows of them (gauge neededBytes). */
  readonly #unfit = new Map<number, number>()

  constructor(context: StoreContext) {
    this.#context = context
  }

  /**
   * Returns the partitions to begin with now.
   * @param absent partitions to copy, in this order
   * @param beginning number of partitions that are about to be read
   */
  next(absent: readonly number[], beginning: number): number[] {
    const { config, roles } = this.#context
    const most = Math.max(1, Math.floor(fillsMax / (config.storeThreads ?? 1)))
    const filling = roles.replicas.filter((one) => this.#isFilling(one)).length
    for (const [partition, bytes] of this.#unfit) if (this.#fits(bytes)) this.#forget(partition)
    const fitting = absent.filter((partition) => !this.#unfit.has(partition))
    return fitting.slice(0, Math.max(0, most - beginning - filling))
  }

  /** To be called before a partition is copied. @returns whether there is room for it */
  begins(partition: number, stated: StatedSize): boolean {
    const bytes = lastingBytesFor(stated)
    if (!this.#fits(bytes)) {
      this.refuse(partition, bytes)
      return false
    }
    this.#unfit.delete(partition)
    this.#needed.set(partition, bytes)
    this.#context.stats.setGauge(partition, 'neededBytes', bytes)
    return true
  }

  /** Whether some partitions wait for room. */
  get isShort(): boolean {
    return this.#unfit.size > 0
  }

  /**
   * Returns the copy that gives way first while memory is full: what is filled beside the primaries of others, then what
   * is a whole copy beside them, then what is filled to be a primary; of each the one wanted least.
   */
  leastWanted({ primaries, replicas }: RolePartitions): number | undefined {
    const isCopy = (one: number) => this.#context.roles.replicas.includes(one)
    const isFilled = (one: number) => isCopy(one) && this.#isFilling(one)
    return replicas.findLast(isFilled) ?? replicas.findLast(isCopy) ?? primaries.findLast(isFilled)
  }

  /** Returns the bytes that a copy needs at least. */
  needed(partition: number): number {
    return Math.max(this.#heldBytes(partition), this.#needed.get(partition) ?? 0)
  }

  /** There is no room for a partition, which is not held. It is filled again when there is room for so many bytes. */
  refuse(partition: number, bytes: number): void {
    const { config, stats } = this.#context
    this.#needed.delete(partition)
    this.#unfit.set(partition, bytes)
    stats.setGauge(partition, 'neededBytes', bytes)
    if (config.memoryMax === undefined) {
      log.warn('Copying partition {partition}: there is no address space for it. Hold fewer partitions here', {
        partition,
      })
      return
    }
    const message =
      'Copying partition {partition}: it needs {size} or more with its index, and {leaves} that are held. {advice}'
    const properties = { size: mebibytes(bytes), leaves: leaves(config), advice: advice(config, bytes) }
    log.warn(message, { partition, ...properties })
  }

  #forget(partition: number): void {
    this.#unfit.delete(partition)
    this.#context.stats.setGauge(partition, 'neededBytes', -1)
  }

  #fits(bytes: number): boolean {
    let coming = 0
    for (const [partition, needed] of this.#needed) {
      if (partitionStateOf(this.#context.stats, partition) === 'running') this.#needed.delete(partition)
      else coming += Math.max(0, needed - this.#heldBytes(partition))
    }
    return bytes === 0 || this.#context.memory.room.fits(coming + bytes)
  }

  #heldBytes(partition: number): number {
    const { totalBytes, indexBytes } = this.#context.map.stats(partition)
    return totalBytes + indexBytes
  }

  #isFilling(partition: number): boolean {
    return partitionStateOf(this.#context.stats, partition) !== 'running'
  }
}
