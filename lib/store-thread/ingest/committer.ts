/** Commits, once a second or as auto.commit.interval.ms says, how far the changelog has acknowledged: never ahead of it, never backwards. */
import { LatchkeyError } from '../../errors.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { type CommittedOffset, commitOffsets, fetchCommitted, type TopicOffsets } from '../../kafka/offsets.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { clientsConfigOf, groupOf } from '../../topics/clients.ts'
import { completenessOf } from '../../topics/completeness.ts'
import { besideChangelog, marksIn } from '../recovery/marks.ts'
import { type Stats } from '../../store-protocol/stats.ts'
import { type StoreConfig } from '../../store-protocol/store-config.ts'

/** Between asking what the group has and committing over it. */
const answerAgeMaxMs = 2_000

export interface CommitSource {
  /** Next source offset of each partition to commit, for those this instance may commit. */
  acknowledged(): Map<number, number>
  /** What a later start has to know beside the offset: see completeness.ts. */
  metadata(partition: number, offset: number): string | Promise<string>
}

export class Committer {
  readonly #client: KafkaClient
  readonly #config: StoreConfig
  readonly #stats: Stats
  readonly #source: CommitSource
  readonly #committed: Map<number, CommittedOffset>
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
    committed: Map<number, CommittedOffset>,
    overruled: ReadonlyMap<number, number>,
  ) {
    this.#client = client
    this.#config = config
    this.#stats = stats
    this.#source = source
    this.#committed = committed
    this.#overruled = overruled
    for (const [partition, { offset }] of committed) stats.setGauge(partition, 'committed', offset)
    this.#timer = setInterval(() => void this.commit(), clientsConfigOf(config).consumer.commitIntervalMs)
  }

  /** Commits what is new; a failure is logged, counted and tried again with the next commit. */
  async commit(): Promise<void> {
    this.#committing ??= this.#commit().finally(() => (this.#committing = undefined))
    await this.#committing
  }

  /** What was committed last of a partition, or before the start; undefined where nothing was, or it counts no longer. */
  committedOffset(partition: number): number | undefined {
    return this.#committed.get(partition)?.offset
  }

  /** Resolves when no commit is under way. */
  async settled(): Promise<void> {
    await this.#committing
  }

  /** What the group has of a partition is to be replaced, even by the same offset. @param floor below which nothing is committed */
  restate(partition: number, floor?: number): void {
    if (floor === undefined) this.#committed.delete(partition)
    else this.#committed.set(partition, { offset: floor, metadata: '' })
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
    const stating = [...this.#source.acknowledged()].map(async ([partition, offset]) => {
      const commit = { offset, metadata: await this.#source.metadata(partition, offset) }
      if (isNews(commit, this.#committed.get(partition))) offsets.set(partition, commit)
    })
    await Promise.all(stating)
    if (offsets.size === 0) return
    const { sourceTopic } = this.#config
    const group = groupOf(this.#config)
    try {
      const askedAt = performance.now()
      const found = await fetchCommitted(this.#client, group, sourceTopic, [...offsets.keys()])
      // Whoever was frozen over the answer has an old one: the next round asks anew.
      const ageMs = Math.round(performance.now() - askedAt)
      if (ageMs > answerAgeMaxMs) {
        const message = `Committing offsets of group ${group}: what it has committed came after ${ageMs} ms, which may be outdated`
        throw new LatchkeyError('request_timed_out', message)
      }
      for (const [partition, { offset }] of found) {
        // Another instance has gone further while this one stood still; what it has committed must not fall.
        const isAhead = offset > offsets.get(partition)!.offset && offset !== this.#overruled.get(partition)
        if (isAhead) offsets.delete(partition)
      }
      if (offsets.size === 0) return
      await commitOffsets(this.#client, group, sourceTopic, offsets, this.#beside(offsets))
      this.#stats.add('commits', 1)
      for (const [partition, commit] of offsets) {
        this.#committed.set(partition, commit)
        this.#stats.setGauge(partition, 'committed', commit.offset)
      }
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error
      this.#stats.add('commitFailures', 1)
      this.#log.log('warning', 'commit', '{fault}; trying again', { fault: error.message })
    }
  }

  #beside(offsets: ReadonlyMap<number, CommittedOffset>): TopicOffsets {
    const beside = new Map<number, CommittedOffset>()
    for (const [partition, commit] of offsets) {
      const mark = besideChangelog(commit)
      if (mark !== undefined) beside.set(partition, mark)
    }
    return { topic: this.#config.changelogTopic, offsets: beside }
  }
}

/** A higher offset; or the same where what was stated before does not hold any more: after a rebuild, or of other topics. */
function isNews(commit: CommittedOffset, held: CommittedOffset | undefined): boolean {
  if (held === undefined || commit.offset > held.offset) return true
  const now = completenessOf(commit.metadata)
  const before = completenessOf(held.metadata)
  const marks = marksIn(commit.metadata)
  const marksBefore = marksIn(held.metadata)
  const isRestated =
    now.changelogStart !== before.changelogStart ||
    now.changelogEnd < before.changelogEnd ||
    marks.sourceId !== marksBefore.sourceId ||
    marks.changelogId !== marksBefore.changelogId
  return commit.offset === held.offset && isRestated
}
