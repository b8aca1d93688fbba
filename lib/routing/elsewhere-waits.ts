/**
 * Waits for what becomes visible at other instances: for a source offset, or for a change of a key. While there
 * are waits, the primaries of the partitions concerned are asked again and again how far they are: all waits together cause
 * one small request to each of them in a pause. So a wait continues wherever its partition moves, and nothing is held open.
 */
import { LatchkeyError, messageOf } from '../errors.ts'
import type { GroupAsker } from './group-asker.ts'

/** Waits at a time, in one thread. */
const waitsMax = 20_000
const pauseMs = 50
const askMs = 1_000
/** Many waits that look again at once take longer than a pause. */
const waitsPerMs = 40
const pauseMsMax = 500

interface ElsewhereOffsetWait {
  readonly partition: number
  /** Of the source: it has to be visible. */
  readonly offset: number
  reached(): void
}

interface ElsewhereKeyWait {
  readonly partition: number
  changed(): void
}

/** What was seen of a partition that keys wait in. */
interface Seen {
  member: string
  epoch: number
  position: number
  written: number
  /** Something was written that may not have been visible. */
  isPending: boolean
}

export class ElsewhereWaits {
  readonly #asker: GroupAsker
  readonly #offsets = new Set<ElsewhereOffsetWait>()
  readonly #keys = new Set<ElsewhereKeyWait>()
  readonly #seen = new Map<number, Seen>()
  /** Last answers, by partition, for messages. */
  readonly #known = new Map<number, number | string>()
  #isAsking = false

  constructor(asker: GroupAsker) {
    this.#asker = asker
  }

  /** Number of waits. */
  get waiting(): number {
    return this.#offsets.size + this.#keys.size
  }

  /**
   * @param offsets by partition
   * @param over ends the wait when it resolves
   * @returns rejects with LatchkeyError: not_yet_visible, waits_exhausted
   */
  async waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void> {
    this.#checkRoom()
    const waits: ElsewhereOffsetWait[] = []
    const all = [...offsets].map(([partition, offset]) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const wait = { partition, offset, reached: resolve }
      waits.push(wait)
      this.#offsets.add(wait)
      return promise
    })
    this.#begin()
    try {
      const isOver = over.then(() => {
        throw this.#notYetVisible(waits.filter((wait) => this.#offsets.has(wait)))
      })
      await Promise.race([Promise.all(all), isOver])
    } finally {
      for (const wait of waits) this.#offsets.delete(wait)
      this.#forget()
    }
  }

  /**
   * Calls `changed` when something in the partition has become visible, wherever it is primary.
   * @returns a function that ends that
   * @throws LatchkeyError waits_exhausted
   */
  onChange(partition: number, changed: () => void): () => void {
    this.#checkRoom()
    const wait = { partition, changed }
    this.#keys.add(wait)
    this.#begin()
    return () => {
      this.#keys.delete(wait)
      this.#forget()
    }
  }

  #checkRoom(): void {
    if (this.waiting < waitsMax) return
    const found = `${this.waiting} requests already wait for other instances. Retry later`
    throw new LatchkeyError('waits_exhausted', `Waiting for store ${this.#asker.local.id}: ${found}`)
  }

  #begin(): void {
    if (this.#isAsking) return
    this.#isAsking = true
    void this.#askOnAndOn()
  }

  async #askOnAndOn(): Promise<void> {
    // Those that come within one turn are asked for together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.waiting > 0) {
      await this.#askAll()
      await Bun.sleep(Math.min(pauseMsMax, Math.max(pauseMs, this.waiting / waitsPerMs)))
    }
    this.#isAsking = false
  }

  async #askAll(): Promise<void> {
    const byMember = new Map<string, Set<number>>()
    const add = (partition: number, isForKeys: boolean) => {
      const [member] = this.#asker.routes.candidates(partition)
      if (member === undefined) this.#known.set(partition, 'no instance holds it')
      // What changes here wakes those who wait for a key by itself.
      else if (isForKeys && this.#asker.isSelf(member)) this.#seen.delete(partition)
      else byMember.set(member, (byMember.get(member) ?? new Set()).add(partition))
    }
    for (const { partition } of this.#offsets) add(partition, false)
    for (const { partition } of this.#keys) add(partition, true)
    await Promise.all([...byMember].map(([member, partitions]) => this.#ask(member, [...partitions])))
  }

  async #ask(member: string, partitions: readonly number[]): Promise<void> {
    try {
      const { epoch, positions, written } = await this.#asker.ask(member, { type: 'visible', partitions }, askMs)
      for (const [index, partition] of partitions.entries()) {
        this.#took(partition, { member, epoch, position: positions[index] ?? -1, written: written[index] ?? -1 })
      }
    } catch (thrown) {
      const said = messageOf(thrown)
      for (const partition of partitions) this.#known.set(partition, said)
    }
  }

  #took(partition: number, now: Omit<Seen, 'isPending'>): void {
    this.#known.set(partition, now.position)
    for (const wait of this.#offsets) {
      if (wait.partition !== partition || now.position <= wait.offset) continue
      this.#offsets.delete(wait)
      wait.reached()
    }
    const before = this.#seen.get(partition)
    const isMoved = before?.member !== now.member || before.position !== now.position || before.written !== now.written
    const isPublished = before !== undefined && before.isPending && before.epoch !== now.epoch
    this.#seen.set(partition, { ...now, isPending: isMoved || (before.isPending && !isPublished) })
    if (!isMoved && !isPublished) return
    for (const wait of this.#keys) if (wait.partition === partition) wait.changed()
  }

  /** Nothing is kept of partitions without waits. */
  #forget(): void {
    if (this.waiting > 0) return
    this.#seen.clear()
    this.#known.clear()
  }

  #notYetVisible(waits: readonly ElsewhereOffsetWait[]): LatchkeyError {
    const found = waits.map(({ partition, offset }) => {
      const known = this.#known.get(partition)
      const upTo =
        typeof known === 'number' && known >= 0 ? `is visible up to offset ${known}` : `is not known: ${known}`
      return `partition ${partition} ${upTo}, and ${offset} is asked for`
    })
    const visibleTo = Object.fromEntries(
      waits.map(({ partition }) => {
        const known = this.#known.get(partition)
        return [partition, typeof known === 'number' && known >= 0 ? known : null]
      }),
    )
    const message = `Waiting for store ${this.#asker.local.id}: ${found.join('; ')}. Wait longer`
    return new LatchkeyError('not_yet_visible', message, { details: { visibleTo, awaitsFlush: false } })
  }
}
