/** Reasons why the store does not accept a write of the embedding program. */
import { LatchkeyError } from '../errors.ts'
import { batchBytesOfOne } from '../kafka/record-batch/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { type Assignment, holdsAllPartitions } from './assignment.ts'

/** The part of a store thread that decides on writes. */
export interface WriteTarget {
  /** Partitions that another instance has taken, with the reason as text. */
  readonly fenced: ReadonlyMap<number, string>
  /** Why nothing more is read; undefined while there is room in memory. */
  readonly full: string | undefined
  /** Maximum size of a record batch that the changelog accepts, in bytes. */
  readonly recordBytesMax: number
}

/**
 * Returns the error of a write that was under way when its partition was lost. The store thread does not know who has it
 * now; the group may have said so.
 *
 * @param error of the store thread
 */
export function refusalOfLost(error: LatchkeyError, partition: number, { group }: Assignment): LatchkeyError {
  const { code, message } = error
  if (code !== 'partition_not_held') return error
  const url = group?.isElsewhere[partition] === true ? group.owners[partition] : undefined
  const details = { partition, ...(url !== undefined && { url }) }
  return new LatchkeyError(code, url === undefined ? message : `${message}: ${url}`, { details })
}

/**
 * @param record the value is null to delete the key
 * @returns undefined if the write can be accepted
 */
export function explainWriteRefusal(
  config: StoreConfig,
  partition: number,
  assignment: Assignment,
  { fenced, full, recordBytesMax }: WriteTarget,
  { key, value }: { key: Uint8Array; value: Uint8Array | null },
): LatchkeyError | undefined {
  const attempted = `Writing to store ${config.storeId}`
  const url = assignment.group?.owners[partition]
  const held = { primary: assignment.primaries, replicas: assignment.replicas }
  const details = { partition, held, ...(url !== undefined && { url }) }
  if (!(Number.isInteger(partition) && partition >= 0 && partition < assignment.partitionCount)) {
    const found = `partition ${partition} does not exist: the topic's partition count is ${assignment.partitionCount}`
    return new LatchkeyError('partition_not_held', `${attempted}: ${found}`, { details })
  }
  if (!assignment.primaries.includes(partition)) {
    if (holdsAllPartitions(config) && !assignment.replicas.includes(partition)) {
      const found = `partition ${partition} is a new partition of the topic that this instance is still recovering`
      return new LatchkeyError('recovering', `${attempted}: ${found}`, { details: { partition } })
    }
    const found = assignment.replicas.includes(partition)
      ? `partition ${partition} is a replica here. Write to ${url ?? 'the instance that has it as primary'}`
      : `partition ${partition} is not held by this instance. Write to ${url ?? 'the instance that holds it'}`
    return new LatchkeyError('partition_not_held', `${attempted}: ${found}`, { details })
  }
  const reason = fenced.get(partition)
  if (reason !== undefined) return new LatchkeyError('fenced', `${attempted}: ${reason}`, { details: { partition } })
  if (full !== undefined) return new LatchkeyError('memory_full', `${attempted}: ${full}`, { details: { partition } })
  const bytes = batchBytesOfOne(key.length, value?.length ?? -1, true)
  if (bytes <= recordBytesMax) return undefined
  const found = `the record takes ${bytes} bytes, the changelog accepts ${recordBytesMax}. Make the record smaller, or raise the topic's max.message.bytes and restart`
  return new LatchkeyError('entry_too_large', `${attempted}: ${found}`, {
    details: { bytes, bytesMax: recordBytesMax },
  })
}
