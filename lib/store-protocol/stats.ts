/**
 * Counters and gauges in shared memory. The store thread writes them without a message, and the other threads read them
 * on demand. Each field has one writer and is an aligned 64-bit float (whole numbers up to 2^53): a reader never sees
 * half of a number.
 */

/** Counters of the whole store, in the order of their fields. */
export const counterNames = [
  'recordsConsumed',
  'bytesConsumed',
  'skippedNullKey',
  'skippedUndecodable',
  'skippedCorruptBatch',
  'skippedTooLarge',
  'skippedInvalidKey',
  'skippedInvalidValue',
  'skippedConversion',
  /** Records for which `convert` returned `skip`. */
  'leftOut',
  'timestampsClamped',
  /** Headers that KEEP_HEADERS names and that did not fit. */
  'headersOmitted',
  /** Bad records that the dead-letter topic has acknowledged. */
  'deadLetters',
  'abortedRecords',
  'controlBatches',
  'recordsRecovered',
  'bytesRecovered',
  'changelogRecords',
  'changelogBytes',
  'changelogFailures',
  'fetchFailures',
  'commits',
  'commitFailures',
  'flushes',
  'flushSeconds',
  'operationsPublished',
  'oplogLength',
  'foreignWrites',
  /** Snapshots taken, attempts that failed, and bytes written for them. */
  'snapshots',
  'snapshotFailures',
  'snapshotBytesWritten',
  /** When changelog offsets have fallen last, in ms since the epoch: records were lost. */
  'changelogFellAt',
  /** Replicas that became primaries, and the time that each took, together. */
  'promotions',
  'promotionSeconds',
  /** Bytes that the map uses, and bytes that it has freed and keeps. */
  'mapBytes',
  'mapFreeBytes',
  /** 1 while memory is full, so nothing more is read; else 0. */
  'full',
] as const
export type CounterName = (typeof counterNames)[number]

/** Gauges of one partition, in the order of their fields. -1 means "not known yet", or that the partition is not held. */
export const gaugeNames = [
  'state',
  /** 0 primary, 1 replica, -1 not held. */
  'role',
  'position',
  /** Source offset up to which everything is visible here, or left out. */
  'visible',
  'end',
  'committed',
  'entries',
  'liveBytes',
  'totalBytes',
  'indexBytes',
  'recoveryStart',
  'recoveryPosition',
  'recoveryEnd',
  /** Index into `recoveryPhases`. The next three gauges are the progress in every phase but the first. */
  'phase',
  'phaseStart',
  'phasePosition',
  'phaseEnd',
  /** Time at which the end was last received, in ms since the epoch. */
  'endKnownAt',
  /** Changelog position of the last snapshot, and when it was taken, in ms since the epoch. */
  'snapshotPosition',
  'snapshotTakenAt',
  'snapshotEntries',
  'snapshotBytes',
  'snapshotSeconds',
  /** Index into `snapshotRefusals`: why the last start did not use the snapshot. */
  'snapshotRefusal',
  /** 1 from the fence of a replica until it is a primary, or not. */
  'promoting',
  /** 1 if a primary has reached the end that its source had when it was taken; 0 before; -1 for a replica, and once lost. */
  'caughtUp',
  /** The next offset of the changelog to read or to write. This one and the following ones need partitions that come and go. */
  'changelogPosition',
  /** Changelog offset of the last marker that this instance knows of. Of two that claim a partition, the higher one is right. */
  'term',
  /** 1 if the copy is close to the changelog's end (copy-readiness.ts). */
  'ready',
  /** 1 if at least half of the changelog is read. */
  'halfRead',
  /** 1 if some keys are not where the partitioner puts them (strangers.ts). */
  'strangers',
  /** Changelog offset up to which everything is visible here, excluded; -1 if that is not known. */
  'visibleChangelog',
  /** Counts how often the partition began to be filled again, or left. It is kept when it leaves. */
  'refills',
  /** Bytes that the whole partition takes, as far as is known: while it is filled, and while there is no room for it. */
  'neededBytes',
  /** 1 while a rebuild replaces what the partition has here, or is about to: no lookup is answered from it. */
  'hidden',
] as const
export type GaugeName = (typeof gaugeNames)[number]

const counterIndex = Object.fromEntries(counterNames.map((name, index) => [name, index])) as Record<CounterName, number>
const gaugeIndex = Object.fromEntries(gaugeNames.map((name, index) => [name, index])) as Record<GaugeName, number>

export class Stats {
  /** Partitions that have gauges, whether they are held or not. */
  readonly layout: readonly number[]
  readonly buffer: SharedArrayBuffer
  readonly #values: Float64Array
  readonly #rows = new Map<number, number>()

  /**
   * @param buffer of the Stats of the same layout in another thread; by default a new one, with gauges at -1
   * @param held partitions of the layout that are held from the start, as primaries until their role is set
   */
  constructor(layout: readonly number[], buffer?: SharedArrayBuffer, held = layout) {
    const bytes = 8 * (counterNames.length + layout.length * gaugeNames.length)
    this.layout = layout
    this.buffer = buffer ?? new SharedArrayBuffer(bytes)
    this.#values = new Float64Array(this.buffer)
    layout.forEach((partition, row) => this.#rows.set(partition, counterNames.length + row * gaugeNames.length))
    if (buffer !== undefined) return
    this.#values.fill(-1, counterNames.length)
    for (const partition of held) this.setGauge(partition, 'role', 0)
  }

  /** Partitions that are held now, in the order of the layout. */
  get partitions(): number[] {
    return this.layout.filter((partition) => this.holds(partition))
  }

  /** Whether a partition is held now. */
  holds(partition: number): boolean {
    return this.#rows.has(partition) && this.gauge(partition, 'role') >= 0
  }

  count(name: CounterName): number {
    return this.#values[counterIndex[name]]!
  }

  add(name: CounterName, amount: number): void {
    this.#values[counterIndex[name]]! += amount
  }

  set(name: CounterName, value: number): void {
    this.#values[counterIndex[name]] = value
  }

  gauge(partition: number, name: GaugeName): number {
    return this.#values[this.#place(partition, name)]!
  }

  setGauge(partition: number, name: GaugeName, value: number): void {
    this.#values[this.#place(partition, name)] = value
  }

  /** Forgets a partition, which is not held any more. */
  clear(partition: number): void {
    const row = this.#place(partition, gaugeNames[0])
    const refills = this.gauge(partition, 'refills')
    this.#values.fill(-1, row, row + gaugeNames.length)
    // It may return before a reading thread has seen that it had left.
    this.setGauge(partition, 'refills', refills)
  }

  #place(partition: number, name: GaugeName): number {
    const row = this.#rows.get(partition)
    if (row === undefined) throw new RangeError(`Stats hold no partition ${partition}`)
    return row + gaugeIndex[name]
  }
}
