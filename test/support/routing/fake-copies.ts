/** A store of an instance without Kafka: its partitions, and what it has of each. */
import { LatchkeyError } from '../../../lib/errors.ts'
import { partitionOf } from '../../../lib/map/index.ts'
import { type CopyState, noCopy } from '../../../lib/store-protocol/copy-state.ts'
import type { Lookup } from '../../../lib/store-protocol/status.ts'
import { FakeStore } from '../http/fake-store.ts'
import { FakeWatches } from '../resp/fake-watch.ts'

export const primary: CopyState = { role: 0, isReady: true, caughtUp: true, isHalted: false, lag: undefined }
export const replica: CopyState = { role: 1, isReady: true, caughtUp: true, isHalted: false, lag: 0 }

class FakeStates extends Map<number, CopyState> {
  partitionCount = 4
  /** Partitions with keys that belong elsewhere. */
  readonly strange = new Set<number>()

  of(partition: number): CopyState {
    return this.get(partition) ?? noCopy
  }

  roleOf(partition: number): number {
    return this.of(partition).role
  }

  /** Says that roles have changed. */
  changed = () => {}

  onRoles(listener: () => void): void {
    this.changed = listener
  }

  isCurrentPlan = true

  isCurrent(): boolean {
    return this.isCurrentPlan
  }

  hasStrangers(partition: number): boolean {
    return this.strange.has(partition)
  }
}

export class FakeCopies extends FakeStore {
  override readonly changes = new FakeWatches()
  readonly copies = new FakeStates()
  readonly records = new Map<string, string>()
  /** Called before each lookup. */
  before: () => void | Promise<void> = () => {}
  lookups = 0

  constructor(copies: Readonly<Record<number, CopyState>> = {}) {
    super()
    for (const [partition, copy] of Object.entries(copies)) this.copies.set(Number(partition), copy)
    this.onGet = (key) => this.#get(key)
  }

  override get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    this.lookups++
    const before = this.before()
    return before ? before.then(() => this.onGet(key)) : this.onGet(key)
  }

  partitionOf(key: Uint8Array): number {
    return partitionOf(key, this.copies.partitionCount)
  }

  #get(key: Uint8Array): Lookup | undefined {
    const partition = this.partitionOf(key)
    const { role, lag } = this.copies.of(partition)
    if (role < 0) throw new LatchkeyError('partition_not_held', `Reading: partition ${partition} is not held here`)
    const value = this.records.get(Buffer.from(key).toString())
    if (value === undefined) return undefined
    const found: Lookup = { value: Buffer.from(value), partition, offset: 7, timestamp: 1_700_000_000_000 }
    if (lag !== undefined) found.replicaLag = lag
    return found
  }
}

/** Returns a key of a partition. */
export function keyIn(partition: number, name = 'key', partitions = 4): string {
  for (let at = 0; ; at++) if (partitionOf(Buffer.from(`${name}${at}`), partitions) === partition) return `${name}${at}`
}
