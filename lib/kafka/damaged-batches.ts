/**
 * Batches that fail their checks. Most often they were damaged on the way, and are again for as long as the network is bad: they are fetched again, each time
 * after a longer pause, before they count as damaged in the log. A batch with the right checksum was written as it is, and counts at once.
 */
import { LatchkeyError } from '../errors.ts'
import { type KafkaClient } from './client.ts'
import { type FetchedPartition } from './protocol/fetch.ts'
import { type Patience } from './patience.ts'
import { RecordBatchReader } from './record-batch/index.ts'

/** So often in a row has a batch to come damaged: in 11 to 21 s, unless the client's retries have another pace. */
export const timesMax = 10

interface Damage {
  offset: number
  times: number
  readonly patience: Patience
}

export class DamagedBatches {
  readonly #client: KafkaClient
  readonly #found = new Map<number, Damage>()

  constructor(client: KafkaClient) {
    this.#client = client
  }

  /**
   * What came of a partition cannot be read from an offset on.
   * @returns how long to wait before that is fetched again; undefined where it counts as damaged in the log
   */
  pauseMs(fetched: FetchedPartition, offset: number): number | undefined {
    const { partition } = fetched
    const before = this.#found.get(partition)
    const damage = before?.offset === offset ? before : { offset, times: 0, patience: this.#client.patience() }
    damage.times++
    this.#found.set(partition, damage)
    const isFinal = damage.times >= timesMax || soundPart(fetched, offset) !== undefined
    return isFinal ? undefined : damage.patience.pauseMs()
  }

  isWaitingFor(partition: number): boolean {
    return this.#found.has(partition)
  }

  /** Something came undamaged. @returns whether it is what was waited for */
  taken(partition: number, to: number): boolean {
    const damage = this.#found.get(partition)
    return damage !== undefined && to > damage.offset && this.#found.delete(partition)
  }

  /** Nothing of it is waited for any more. @returns how many times that came damaged */
  forget(partition: number): number {
    const times = this.#found.get(partition)?.times ?? 0
    this.#found.delete(partition)
    return times
  }
}

/** Of a batch, or behind the right checksum of what was written so. */
export function isDamage(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && error.code === 'record_batch_corrupt'
}

/** For a pause and what is shown meanwhile: other than the damage itself, it is for a retry to mend. */
export function cameDamaged(topic: string, partition: number, found: string): LatchkeyError {
  const message = `Reading ${topic} partition ${partition}: ${found}; fetching it ${timesMax} times at most`
  return new LatchkeyError('response_malformed', message)
}

/** What came from an offset on, up to the first batch that is damaged; undefined where that is the first of all. */
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
      if (reader.baseOffset < next || !(isBehind || reader.isIntact))
        return isFound ? partOf(fetched, soundEnd) : undefined
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
