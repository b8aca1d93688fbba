/**
 * Runs onNew, onUpdate and onDelete with the value that the key has directly before the record. That value is in flight
 * to the changelog, else in the map. The results are the same whenever the store is killed, because recovery finds all
 * predecessors of a record.
 */
import { type Definition, refusePromise } from '../../definition/index.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { ChiralMap } from '../../map/index.ts'
import { withoutHeaders } from '../../store-protocol/header-prefix.ts'
import type { StoreContext } from '../store-context.ts'
import type { Step } from './conversion-faults.ts'
import type { PartitionIngest } from './partition-ingest.ts'

/** The writer's view of the map. */
export interface Memory {
  /** Number of operations that `latest` sees. */
  readonly operationsAbsorbed: number
  /** Returns a copy of the value of a key; undefined if the map has none. */
  latest(partition: number, key: Uint8Array, start: number, length: number): Uint8Array | undefined
}

/** @param hasHeaders whether values in the map have a header prefix */
export function memoryOf(map: ChiralMap, hasHeaders: boolean): Memory {
  return {
    get operationsAbsorbed() {
      return map.operationsAbsorbed
    },
    latest(partition, key, start, length) {
      const stored = map.latest(partition, key, start, length)
      return stored && hasHeaders ? withoutHeaders(stored.value) : stored?.value
    },
  }
}

/** Whether callbacks run, which make values from earlier values. */
export function runsCallbacks({ config, definition }: Pick<StoreContext, 'config' | 'definition'>): boolean {
  return definition !== undefined && hasCallbacks(definition) && !config.useProcessingOnly
}

export function hasCallbacks({ onNew, onUpdate, onDelete }: Definition): boolean {
  return (onNew ?? onUpdate ?? onDelete) !== undefined
}

export class CallbackRunner {
  readonly #definition: Definition
  readonly #memory: Memory
  /** Key of the current record (latin1), and its former value below. */
  #keyText = ''
  #old: Uint8Array | null = null

  constructor(definition: Definition, memory: Memory) {
    this.#definition = definition
    this.#memory = memory
  }

  /** To be called for each record before the other methods. The partition must have `pendingValues`. */
  begin(state: PartitionIngest, { data, keyStart, keyLength }: RecordBatchReader): void {
    const memory = this.#memory
    const pending = state.pendingValues!
    pending.release(memory.operationsAbsorbed)
    this.#keyText = data.toString('latin1', keyStart, keyStart + keyLength)
    const found = pending.get(this.#keyText)
    this.#old = found === undefined ? (memory.latest(state.partition, data, keyStart, keyLength) ?? null) : found
  }

  /**
   * @param enter called with the step that starts
   * @returns the value to store
   */
  write(key: unknown, value: unknown, enter: (step: Step) => void): unknown {
    const { onNew, onUpdate } = this.#definition
    if (this.#old === null) {
      enter('onNew')
      return refusePromise(onNew?.(key, value), 'it') ?? value
    }
    if (onUpdate === undefined) return value
    const old = this.#decodeOld(enter)
    enter('onUpdate')
    return refusePromise(onUpdate(key, old, value), 'it') ?? value
  }

  delete(key: unknown, enter: (step: Step) => void): void {
    const { onDelete } = this.#definition
    if (this.#old === null || onDelete === undefined) return
    const old = this.#decodeOld(enter)
    enter('onDelete')
    refusePromise(onDelete(key, old), 'it')
  }

  /** @param value of the record that begin() was called for, null for a tombstone; must not be modified */
  wrote(state: PartitionIngest, value: Uint8Array | null, offset: number): void {
    state.pendingValues!.note(this.#keyText, value, offset)
  }

  #decodeOld(enter: (step: Step) => void): unknown {
    enter('old value')
    return this.#definition.value.decode(this.#old!)
  }
}
