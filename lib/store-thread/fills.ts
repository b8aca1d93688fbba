/**
 * Which partitions an instance begins to copy, and which copies give way where there is no memory for them. What is held
 * already is worth more than what comes. Only where partitions come and go.
 */
import { loggerOf } from '../log/index.ts'
import { mapBytesFor, type StatedSize } from '../store-protocol/memory-budget.ts'
import { partitionStateOf } from '../store-protocol/partition-state.ts'
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
  /** Bytes that partitions need at least for which there was no room. */
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
    const fitting = absent.filter((partition) => this.#fits(this.#unfit.get(partition) ?? 0))
    return fitting.slice(0, Math.max(0, most - beginning - filling))
  }

  /** To be called before a partition is copied. @returns whether there is room for it */
  begins(partition: number, stated: StatedSize): boolean {
    const bytes = mapBytesFor(stated)
    if (!this.#fits(bytes)) {
      this.#refuse(partition, bytes)
      return false
    }
    this.#unfit.delete(partition)
    this.#needed.set(partition, bytes)
    return true
  }

  /** Returns the copy that gives way first while memory is full: of those that are not filled, the one wanted least. */
  leastWanted(wanted: readonly number[]): number | undefined {
    return wanted.findLast((one) => this.#context.roles.replicas.includes(one) && this.#isFilling(one))
  }

  /** A copy gives way. It is filled again when there is more room than it had. */
  givesWay(partition: number): void {
    const needed = Math.max(this.#heldBytes(partition), this.#needed.get(partition) ?? 0)
    this.#refuse(partition, needed)
  }

  #refuse(partition: number, bytes: number): void {
    const { config } = this.#context
    this.#needed.delete(partition)
    this.#unfit.set(partition, bytes)
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
