/**
 * Tracks batches that fail their checks. Most are damaged on the network, and a bad network damages the next attempt,
 * too. Such a batch is fetched again, after longer and longer pauses, before it counts as damaged in the log. A batch
 * with the right checksum was written in that form, so it counts as damaged at once.
 */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from './client.ts'
import type { FetchedPartition } from './protocol/fetch.ts'
import { RecordBatchReader } from './record-batch/index.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** Consecutive failures after which a batch counts as damaged in the log: 11 to 21 s with the default retry backoff. */
export const damagedFetchesMax = 10

interface Damage {
  offset: number
  fetches: number
  readonly retries: RetryPolicy
}

export class DamagedBatches {
  readonly #client: KafkaClient
  readonly #found = new Map<number, Damage>()

  constructor(client: KafkaClient) {
    this.#client = client
  }

  /**
   * Registers a batch that cannot be read, at an offset.
   * @returns pause before the next attempt in ms; undefined if the batch counts as damaged in the log
   */
  pauseMs(fetched: FetchedPartition, offset: number): number | undefined {
    const { partition } = fetched
    const before = this.#found.get(partition)
    const damage = before?.offset === offset ? before : { offset, fetches: 0, retries: this.#client.retryPolicy() }
    damage.fetches++
    this.#found.set(partition, damage)
    const isFinal = damage.fetches >= damagedFetchesMax || soundPart(fetched, offset) !== undefined
    return isFinal ? undefined : damage.retries.pauseMs()
  }

  isWaitingFor(partition: number): boolean {
    return this.#found.has(partition)
  }

  /** Registers intact batches that end at `to`. @returns whether the batch that was damaged is among them */
  taken(partition: number, to: number): boolean {
    const damage = this.#found.get(partition)
    return damage !== undefined && to > damage.offset && this.#found.delete(partition)
  }

  /** Stops tracking a partition. @returns how many times its batch arrived damaged */
  forget(partition: number): number {
    const times = this.#found.get(partition)?.fetches ?? 0
    this.#found.delete(partition)
    return times
  }
}

/** Whether an error means a damaged batch: a wrong checksum, or bytes that are malformed despite the right one. */
export function isDamage(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && error.code === 'record_batch_corrupt'
}

/** Returns the error to show during a pause. Its code, unlike that of the damage itself, is retriable. */
export function damagedFetchError(topic: string, partition: number, found: string): LatchkeyError {
  const message = `Reading ${topic} partition ${partition}: ${found}; fetching it ${damagedFetchesMax} times at most`
  return new LatchkeyError('response_malformed', message)
}

/** Returns `fetched` up to its first damaged batch; undefined if no batch before that one reaches past `offset`. */
export function soundPart(fetched: FetchedPartition, offset: number): FetchedPartition | undefined {
  const { buffer, start, end } = fetched
  const reader = new RecordBatchReader()
  let soundEnd = start
  let isFound = false
  let next = 0
  try {
    reader.open(buffer, start, end)
    while (reader.nextBatch()) {
      const isBehind = reader.nextOffset <= offset
      // The checksum does not cover the base offset.
      if (reader.baseOffset < next || !(isBehind || reader.isIntact)) {
        return isFound ? partOf(fetched, soundEnd) : undefined
      }
      next = reader.nextOffset
      soundEnd += reader.batchBytes
      isFound ||= !isBehind
    }
    return fetched
  } catch {
    return isFound ? partOf(fetched, soundEnd) : undefined
  }
}

function partOf(fetched: FetchedPartition, end: number): FetchedPartition {
  return { ...fetched, end }
}
