/**
 * The first key of a partition that the partitioner puts elsewhere waits, with all that follows it, until the whole group
 * knows that the partition has such keys. Otherwise an instance that does not know it yet would answer that the key does
 * not exist. So does the first record of a partition that the topic got while the instance ran: for an instance with the
 * plan before, its keys belong to other partitions. Nothing waits without a group, or in a partition that is known to have
 * such keys.
 */
import { supersededMs } from '../../group-protocol/group-notice.ts'
import { loggerOf } from '../../log/index.ts'
import { isInGroup, type StoreConfig } from '../../store-protocol/store-config.ts'
import type { Strangers } from '../strangers.ts'

const log = loggerOf('ingest')

/** Without a plan that knows. Writing does not depend on the group for longer. */
const waitMsMax = 10_000

export interface StrangerHoldTimes {
  /** After the plan, until no instance takes the plan before for the present one. */
  readonly supersededMs: number
  readonly waitMsMax: number
}

const timesDefault: StrangerHoldTimes = { supersededMs, waitMsMax }

const lateMessage =
  'Partition {partition}: after {seconds} s the group has no plan that knows of its keys that belong elsewhere. They are written; instances that cannot reach the group may not find them'

/** Of one partition in ingest. */
export class StrangerHold {
  readonly partition: number
  readonly #strangers: Strangers
  readonly #begin: (hold: StrangerHold) => void
  #isHeld = false
  #isOver = false

  constructor(partition: number, strangers: Strangers, begin: (hold: StrangerHold) => void) {
    this.partition = partition
    this.#strangers = strangers
    this.#begin = begin
  }

  /** Nothing of the partition is to be written. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** To be called before a record with a value is appended to what the partition writes. */
  meets(data: Uint8Array, keyStart: number, keyLength: number): void {
    if (this.#isOver) return
    const { partition } = this
    if (!this.#strangers.isUnknown(partition) && this.#strangers.isPlaced(partition, data, keyStart, keyLength)) return
    this.#isOver = true
    if (!this.#strangers.met(partition)) return
    this.#isHeld = true
    this.#begin(this)
  }

  end(): void {
    this.#isHeld = false
  }
}

/** The part of IngestContext that is used here. */
interface StrangerHoldsContext {
  readonly config: StoreConfig
  readonly strangers: Strangers | undefined
  readonly partitions: { get(partition: number): { readonly strangerHold: StrangerHold | undefined } | undefined }
  readonly producer: { wake(): void }
}

export class StrangerHolds {
  readonly #context: StrangerHoldsContext
  readonly #strangers: Strangers
  readonly #times: StrangerHoldTimes
  readonly #held = new Set<StrangerHold>()
  readonly #timers = new Set<Timer>()

  /** Returns undefined without a group. */
  static of(context: StrangerHoldsContext, times?: StrangerHoldTimes): StrangerHolds | undefined {
    const { config, strangers } = context
    return strangers !== undefined && isInGroup(config) ? new StrangerHolds(context, strangers, times) : undefined
  }

  constructor(context: StrangerHoldsContext, strangers: Strangers, times = timesDefault) {
    this.#context = context
    this.#strangers = strangers
    this.#times = times
    strangers.onKnown(({ partitions, isAlone }) => {
      for (const hold of this.#held) {
        if (partitions.includes(hold.partition)) this.#after(isAlone ? 0 : times.supersededMs, hold)
      }
    })
  }

  /** For a partition that begins to be written. */
  of(partition: number): StrangerHold {
    return new StrangerHold(partition, this.#strangers, (hold) => {
      this.#held.add(hold)
      this.#after(this.#times.waitMsMax, hold, true)
    })
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #after(ms: number, hold: StrangerHold, isLate = false): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (this.#held.delete(hold)) this.#release(hold, isLate)
    }, ms)
    this.#timers.add(timer)
  }

  #release(hold: StrangerHold, isLate: boolean): void {
    const { partitions, producer } = this.#context
    const { partition } = hold
    hold.end()
    if (partitions.get(partition)?.strangerHold !== hold) return // the partition was lost
    if (isLate) log.warn(lateMessage, { partition, seconds: this.#times.waitMsMax / 1_000 })
    producer.wake()
  }
}
