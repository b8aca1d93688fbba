/**
 * Applies a definition to source records: decodes and so validates key and value, converts, runs the callbacks,
 * encodes. Handles only source records, and each once, however often it is fetched or written.
 */
import { type Definition, refusePromise, skip } from '../../definition/index.ts'
import type { Codec } from '../../format/index.ts'
import { rawCodec } from '../../format/simple/raw.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { hasHeaderPrefix } from '../../store-protocol/kept-headers.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreContext } from '../store-context.ts'
import type { BadRecords } from './bad-records.ts'
import { CallbackRunner, hasCallbacks, type Memory, memoryOf } from './callback-runner.ts'
import { faultAt, reasonAt, type Step, waitFor } from './conversion-faults.ts'
import type { PartitionIngest } from './partition-ingest.ts'

/** Result for a record: written unchanged, written with another value, not written, or the partition stops at it. */
export type Outcome = 'unchanged' | 'converted' | 'left out' | 'halted'

/** Returns undefined if records are stored unchanged and unchecked. */
export function conversionOf(context: StoreContext, bad: BadRecords): Conversion | undefined {
  const { config, definition, stats, map } = context
  if (definition === undefined) return undefined
  if (config.useProcessingOnly && hasCallbacks(definition)) {
    const reason = 'with USE_PROCESSING_ONLY=true memory does not hold the value before'
    loggerOf('store').warn('onNew, onUpdate and onDelete do not run: {reason}', { reason })
  }
  const memory = config.useProcessingOnly ? undefined : memoryOf(map, hasHeaderPrefix(config))
  return new Conversion(definition, config.sourceTopic, stats, bad, memory)
}

export class Conversion {
  readonly #definition: Definition
  readonly #topic: string
  readonly #stats: Stats
  readonly #bad: BadRecords
  readonly #callbacks: CallbackRunner | undefined
  /** Undefined if the bytes need not be decoded. */
  readonly #key: Codec | undefined
  readonly #input: Codec | undefined
  readonly #wantsRecord: boolean
  /** Whether values are stored unchanged. */
  readonly #keepsBytes: boolean
  readonly #log = new RepeatedLog(loggerOf('ingest'))
  #step: Step = 'key'
  #value: Uint8Array | null = null

  /** @param memory source of former values for callbacks; without it they do not run */
  constructor(definition: Definition, topic: string, stats: Stats, bad: BadRecords, memory: Memory | undefined) {
    const { key, input, convert, onNew, onUpdate } = definition
    this.#definition = definition
    this.#topic = topic
    this.#stats = stats
    this.#bad = bad
    this.#callbacks =
      memory !== undefined && hasCallbacks(definition) ? new CallbackRunner(definition, memory) : undefined
    // Formats that come from settings do not use the record argument.
    this.#wantsRecord = convert !== undefined && (definition.module !== undefined || convert.length > 1)
    this.#key = key === rawCodec && !this.#wantsRecord && this.#callbacks === undefined ? undefined : key
    const changesValues = this.#callbacks !== undefined && (onNew ?? onUpdate) !== undefined
    this.#keepsBytes = definition.keepsBytes && !changesValues
    this.#input = input === rawCodec && this.#keepsBytes ? undefined : input
  }

  /** The bytes to store after the outcome `converted`, null to delete. Valid until the next record. */
  get value(): Uint8Array | null {
    return this.#value
  }

  /** Whether callbacks run. Each partition then needs `pendingValues`. */
  get hasCallbacks(): boolean {
    return this.#callbacks !== undefined
  }

  /**
   * Converts the record at which `batch` is positioned; it must have a key. A record that cannot be converted goes to
   * BadRecords.
   */
  convertRecord(state: PartitionIngest, batch: RecordBatchReader): Outcome {
    try {
      return this.#convert(state, batch)
    } catch (thrown) {
      const wait = waitFor(thrown)
      if (wait !== undefined) return this.#wait(state, batch.offset, wait)
      const step = this.#step
      const { what, found } = faultAt(step, this.#definition, thrown)
      const isPassed = this.#bad.handleRecord(state, batch, reasonAt(step), `${what}: ${found}`, what)
      return isPassed ? 'left out' : 'halted'
    }
  }

  /**
   * To be called when the record of convertRecord() was encoded for the changelog. The next record with its key sees its value.
   */
  wrote(state: PartitionIngest, batch: RecordBatchReader, outcome: 'unchanged' | 'converted'): void {
    if (this.#callbacks === undefined) return
    if (outcome === 'converted') this.#callbacks.wrote(state, this.#value?.slice() ?? null, batch.offset)
    else this.#callbacks.wrote(state, batch.valueLength < 0 ? null : valueOf(batch).slice(), batch.offset)
  }

  #convert(state: PartitionIngest, batch: RecordBatchReader): Outcome {
    const { convert, value } = this.#definition
    this.#step = 'key'
    const key: unknown = this.#key?.decode(keyOf(batch))
    this.#callbacks?.begin(state, batch)
    if (batch.valueLength < 0) {
      this.#delete(key)
      return 'unchanged'
    }
    this.#step = 'value'
    let result: unknown = this.#input?.decode(valueOf(batch))
    if (convert !== undefined) {
      this.#step = 'convert'
      const { partition } = state
      const { offset, timestamp } = batch
      const record = this.#wantsRecord ? { key, topic: this.#topic, partition, offset, timestamp } : undefined
      result = refusePromise(convert(result, record!), 'it')
      if (result === undefined) throw new Error('it returned nothing: return a value, null to delete, or skip')
    }
    if (result === skip) {
      this.#stats.add('leftOut', 1)
      return 'left out'
    }
    if (result === null && convert !== undefined) {
      this.#delete(key)
      this.#value = null
      return 'converted'
    }
    if (this.#callbacks !== undefined) result = this.#callbacks.write(key, result, (step) => (this.#step = step))
    if (this.#keepsBytes) return 'unchanged'
    this.#step = 'encode'
    const bytes: unknown = value.encode(result)
    if (!(bytes instanceof Uint8Array)) throw new Error(`encode returned ${typeof bytes}: it must return a Uint8Array`)
    this.#value = bytes
    return 'converted'
  }

  #delete(key: unknown): void {
    this.#callbacks?.delete(key, (step) => (this.#step = step))
  }

  /** Halts the partition until a schema is available. Other partitions continue; this one continues at this record. */
  #wait(state: PartitionIngest, offset: number, { ready, reason }: { ready: Promise<void>; reason: string }): 'halted' {
    state.reading.waitFor(ready)
    const message = '{topic} partition {partition} offset {offset}: waiting, {reason}'
    const properties = { topic: this.#topic, partition: state.partition, offset, reason }
    this.#log.log('info', `wait ${state.partition}`, message, properties)
    return 'halted'
  }
}

function keyOf({ data, keyStart, keyLength }: RecordBatchReader): Uint8Array {
  return data.subarray(keyStart, keyStart + keyLength)
}

function valueOf({ data, valueStart, valueLength }: RecordBatchReader): Uint8Array {
  return data.subarray(valueStart, valueStart + valueLength)
}
