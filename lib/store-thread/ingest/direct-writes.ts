/**
 * Appends records that a program writes. They go into the same batches as source records, after those that their
 * partition has encoded already. The header `aft` of each has the source offset encoded before it, so that no older
 * source record replaces it when a restart reads that again.
 */
import { LatchkeyError } from '../../errors.ts'
import type { ChiralMap } from '../../map/index.ts'
import type { FromThread } from '../../store-protocol/thread-messages.ts'
import { readFrame } from '../../store-protocol/write-frame.ts'
import type { StoreContext } from '../store-context.ts'
import type { ChangelogBatch } from './changelog-batch.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import { fencedAdvice } from './partition-ownership.ts'

/** Key and value of each record in the format of WriteFrame, and the time of the write. */
export interface DirectRecords {
  readonly records: Uint8Array
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

export class DirectWrites {
  readonly #storeId: string
  readonly #map: ChiralMap
  readonly #post: (message: FromThread) => void
  /** What this instance writes now. */
  readonly #primaries: readonly number[]

  constructor({ config, map, post, roles }: StoreContext) {
    this.#storeId = config.storeId
    this.#primaries = roles.primaries
    this.#map = map
    this.#post = post
  }

  append(state: PartitionIngest, { records, timestamp }: DirectRecords): void {
    const after = state.consumed - 1
    const { pendingValues } = state
    pendingValues?.release(this.#map.operationsAbsorbed)
    readFrame(records, (keyStart, keyLength, valueStart, valueLength) => {
      const isAfter = after >= 0
      if (valueLength >= 0) state.strangerHold?.meets(records, keyStart, keyLength)
      state.queue.append(
        records,
        keyStart,
        keyLength,
        valueStart,
        valueLength,
        timestamp,
        after,
        state.consumed,
        undefined,
        isAfter,
      )
      state.countDirectWrite()
      if (pendingValues === undefined && state.reread === undefined) return
      const key = Buffer.from(records.buffer, records.byteOffset + keyStart, keyLength).toString('latin1')
      state.reread?.wrote(key)
      const value = valueLength < 0 ? null : records.slice(valueStart, valueStart + valueLength)
      pendingValues?.note(key, value, state.consumed)
    })
  }

  /** To be called when the changelog has acknowledged a batch and the map has its records. */
  acknowledged(state: PartitionIngest, { directWrites: count }: ChangelogBatch): void {
    if (count === 0) return
    state.settleDirectWrites(count)
    this.#post({ type: 'written', partition: state.partition, count })
  }

  /** To be called when the changelog finally refused a batch of one record. */
  refused(state: PartitionIngest, { directWrites: count }: ChangelogBatch, error: LatchkeyError): void {
    if (count > 0) this.#refuse(state, count, new LatchkeyError('entry_too_large', error.message))
  }

  /** To be called when another instance has taken the partition, or is to take it. */
  lost(state: PartitionIngest): void {
    const count = state.unsettledWrites
    if (count > 0) this.#refuse(state, count, this.#notWritten(state.partition))
  }

  /** Refuses records that arrive after the partition was lost. */
  tooLate(partition: number, { records }: DirectRecords): void {
    let count = 0
    readFrame(records, () => count++)
    this.#postRefused(partition, count, this.#notWritten(partition))
  }

  #refuse(state: PartitionIngest, count: number, error: LatchkeyError): void {
    state.settleDirectWrites(count)
    this.#postRefused(state.partition, count, error)
  }

  /** Posts code and message, because an Error object loses its fields between threads. */
  #postRefused(partition: number, count: number, { code, message }: LatchkeyError): void {
    this.#post({ type: 'write-refused', partition, count, error: { code, message } })
  }

  #notWritten(partition: number): LatchkeyError {
    const attempted = `Writing to store ${this.#storeId}`
    if (this.#primaries.includes(partition)) {
      return new LatchkeyError('fenced', `${attempted}: ${fencedAdvice(this.#storeId, partition)}`)
    }
    const found = `partition ${partition} is a replica here now. The changelog may or may not contain the write; write to the instance that has it as primary`
    return new LatchkeyError('partition_not_held', `${attempted}: ${found}`)
  }
}
