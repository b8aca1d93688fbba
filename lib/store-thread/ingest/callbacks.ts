/**
 * onNew, onUpdate and onDelete, told what a key has as of the record before: by what is on its way to the changelog, else by memory. So what they
 * make of it is the same whenever the store is killed, because what recovery finds is a record's predecessors, all of them.
 */
import { type Definition, refusePromise } from '../../definition/index.ts'
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { type ChiralMap } from '../../map/index.ts'
import { withoutHeaders } from '../../store-protocol/header-prefix.ts'
import { type Step } from './conversion-faults.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { type StoreContext } from '../store-context.ts'

/** What the writer knows of what memory has. */
export interface Memory {
  /** So many operations are in what `latest` sees. */
  readonly operationsAbsorbed: number
  /** The value of a key, memory of its own; undefined where it has none. */
  latest(partition: number, key: Uint8Array, start: number, length: number): Uint8Array | undefined
}

/** @param hasHeaders values in memory stand behind headers */
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

/** Values are made out of those before them. */
export function runsCallbacks({ config, definition }: Pick<StoreContext, 'config' | 'definition'>): boolean {
  return definition !== undefined && hasCallbacks(definition) && !config.useProcessingOnly
}

export function hasCallbacks({ onNew, onUpdate, onDelete }: Definition): boolean {
  return (onNew ?? onUpdate ?? onDelete) !== undefined
}

export class Callbacks {
  readonly #definition: Definition
  readonly #memory: Memory
  /** Of the present record: its key as text, a byte a character, and what that has. */
  #keyText = ''
  #old: Uint8Array | null = null

  constructor(definition: Definition, memory: Memory) {
    this.#definition = definition
    this.#memory = memory
  }

  /** To be called for each record before the others. The partition has `pendingValues`. */
  begin(one: PartitionIngest, { data, keyStart, keyLength }: RecordBatchReader): void {
    const memory = this.#memory
    const pending = one.pendingValues!
    pending.release(memory.operationsAbsorbed)
    this.#keyText = data.toString('latin1', keyStart, keyStart + keyLength)
    const found = pending.get(this.#keyText)
    this.#old = found === undefined ? (memory.latest(one.partition, data, keyStart, keyLength) ?? null) : found
  }

  /** @returns the value to be stored @param enter is told what is tried */
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

  /** @param value of the record that begin() was called for, null for a tombstone; not to be changed */
  wrote(one: PartitionIngest, value: Uint8Array | null, offset: number): void {
    one.pendingValues!.note(this.#keyText, value, offset)
  }

  #decodeOld(enter: (step: Step) => void): unknown {
    enter('old value')
    return this.#definition.value.decode(this.#old!)
  }
}
