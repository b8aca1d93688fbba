/**
 * Counters and gauges in shared memory: the store thread writes them without a message, the HTTP thread reads them when asked.
 * One writer per field, 64-bit floats (whole numbers up to 2^53), aligned, so that a reader never sees half of a number.
 */

/** Counters of the whole store, in the order of their place. */
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
  /** By `convert`, which says `skip`. */
  'leftOut',
  'timestampsClamped',
  /** Of those that KEEP_HEADERS names: there was no room for them. */
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
] as const
export type CounterName = (typeof counterNames)[number]

/** Gauges of one partition, in the order of their place. -1 stands for "not known yet". */
export const gaugeNames = [
  'state',
  /** 0 primary, 1 replica. */
  'role',
  'position',
  'end',
  'committed',
  'entries',
  'liveBytes',
  'totalBytes',
  'recoveryStart',
  'recoveryPosition',
  'recoveryEnd',
  /** Its place in `recoveryPhases`; the three behind it tell how far it has come in all but the first. */
  'phase',
  'phaseStart',
  'phasePosition',
  'phaseEnd',
  /** When the end was last heard of, in ms since the epoch. */
  'endKnownAt',
] as const
export type GaugeName = (typeof gaugeNames)[number]

const counterIndex = Object.fromEntries(counterNames.map((name, index) => [name, index])) as Record<CounterName, number>
const gaugeIndex = Object.fromEntries(gaugeNames.map((name, index) => [name, index])) as Record<GaugeName, number>

export class Stats {
  readonly partitions: readonly number[]
  readonly buffer: SharedArrayBuffer
  readonly #values: Float64Array
  readonly #rows = new Map<number, number>()

  /** @param buffer of the same partitions' Stats in another thread; without it a new one is made, gauges at -1 */
  constructor(partitions: readonly number[], buffer?: SharedArrayBuffer) {
    const bytes = 8 * (counterNames.length + partitions.length * gaugeNames.length)
    this.partitions = partitions
    this.buffer = buffer ?? new SharedArrayBuffer(bytes)
    this.#values = new Float64Array(this.buffer)
    partitions.forEach((partition, row) => this.#rows.set(partition, counterNames.length + row * gaugeNames.length))
    if (buffer === undefined) this.#values.fill(-1, counterNames.length)
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

  #place(partition: number, name: GaugeName): number {
    const row = this.#rows.get(partition)
    if (row === undefined) throw new RangeError(`Stats hold no partition ${partition}`)
    return row + gaugeIndex[name]
  }
}
