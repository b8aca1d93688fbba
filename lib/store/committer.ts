/** Commits, once a second, how far the changelog has acknowledged: never ahead of it, never backwards. */
import { LatchkeyError } from '../errors.ts'
import { type KafkaClient } from '../kafka/client.ts'
import { type CommittedOffset, commitOffsets, fetchCommitted } from '../kafka/offsets.ts'
import { loggerOf, RepeatedLog } from '../log.ts'
import { type Stats } from './stats.ts'
import { type StoreConfig } from './store-config.ts'

const intervalMs = 1_000

export interface CommitSource {
  /** Next source offset of each partition to commit, for those this instance may commit. */
  acknowledged(): Map<number, number>
  /** What a later start has to know beside the offset: see completeSince. */
  metadata(partition: number): string
}

export class Committer {
  readonly #client: KafkaClient
  readonly #config: StoreConfig
  readonly #stats: Stats
  readonly #source: CommitSource
  readonly #committed: Map<number, number>
  readonly #overruled: ReadonlyMap<number, number>
  readonly #log = new RepeatedLog(loggerOf('store'))
  readonly #timer: ReturnType<typeof setInterval>
  #committing: Promise<void> | undefined

  /**
   * @param committed what the group had committed at start: nothing lower is ever committed over it
   * @param overruled what it had committed of a source that is gone: lower offsets are committed over exactly that
   */
  constructor(
    client: KafkaClient,
    config: StoreConfig,
    stats: Stats,
    source: CommitSource,
    committed: Map<number, number>,
    overruled: ReadonlyMap<number, number>,
  ) {
    this.#client = client
    this.#config = config
    this.#stats = stats
    this.#source = source
    this.#committed = committed
    this.#overruled = overruled
    for (const [partition, offset] of committed) stats.setGauge(partition, 'committed', offset)
    this.#timer = setInterval(() => void this.commit(), intervalMs)
  }

  /** Commits what is new; a failure is logged, counted and tried again with the next commit. */
  async commit(): Promise<void> {
    this.#committing ??= this.#commit().finally(() => (this.#committing = undefined))
    await this.#committing
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Stops, and commits once more. */
  async close(): Promise<void> {
    this.stop()
    await this.#committing
    await this.commit()
  }

  async #commit(): Promise<void> {
    const offsets = new Map<number, CommittedOffset>()
    for (const [partition, offset] of this.#source.acknowledged()) {
      if (offset > (this.#committed.get(partition) ?? -1))
        offsets.set(partition, { offset, metadata: this.#source.metadata(partition) })
    }
    if (offsets.size === 0) return
    const { storeId, sourceTopic } = this.#config
    try {
      for (const [partition, { offset }] of await fetchCommitted(this.#client, storeId, sourceTopic, [
        ...offsets.keys(),
      ])) {
        // Another instance has gone further while this one stood still; what it has committed must not fall.
        const isAhead = offset > offsets.get(partition)!.offset && offset !== this.#overruled.get(partition)
        if (isAhead) offsets.delete(partition)
      }
      if (offsets.size === 0) return
      await commitOffsets(this.#client, storeId, sourceTopic, offsets)
      this.#stats.add('commits', 1)
      for (const [partition, { offset }] of offsets) {
        this.#committed.set(partition, offset)
        this.#stats.setGauge(partition, 'committed', offset)
      }
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error
      this.#stats.add('commitFailures', 1)
      this.#log.log('warning', 'commit', '{fault}; trying again', { fault: error.message })
    }
  }
}

/**
 * Beside an offset goes the changelog's log start offset at which the store was complete: a later start that finds the changelog beginning
 * elsewhere knows that something was cut off in between.
 */
export function completenessMetadata(changelogStart: number): string {
  return `latchkey/1 changelog-start=${changelogStart}`
}

/** The changelog start of a commit's metadata; -1 where it has none. */
export function completeSince(metadata: string): number {
  const found = /^latchkey\/1 changelog-start=(\d{1,16})$/.exec(metadata)
  return found === null ? -1 : Number(found[1])
}
