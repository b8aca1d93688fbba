/**
 * Commits the source offsets that the changelog has acknowledged, every auto.commit.interval.ms (default: 1 s). Commits
 * are never ahead of the changelog and never decrease.
 */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { commitOffsets, type CommittedOffset, fetchCommitted, type TopicOffsets } from '../../kafka/offsets.ts'
import {
  hasBrokerCode,
  illegalGeneration,
  rebalanceInProgress,
  unknownMember,
} from '../../kafka/protocol/error-codes.ts'
import { isDebug, loggerOf, RepeatedLog } from '../../log/index.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import { clientsConfigOf, groupOf } from '../../topics/clients.ts'
import { completenessOf } from '../../topics/completeness.ts'
import { changelogCommitOf, marksIn } from '../recovery/marks.ts'
import type { Resume } from '../recovery/resume-decision.ts'

const log = loggerOf('store')

/** Maximum time between reading the group's commits and replacing them. */
const answerAgeMaxMs = 2_000

export interface CommitSource {
  /** Next source offset of each partition to commit, for those this instance may commit. */
  acknowledged(): Map<number, number>
  /** Metadata of the commit for a later start: see completeness.ts. */
  metadata(partition: number, offset: number): string | Promise<string>
}

export class Committer {
  readonly #client: KafkaClient
  readonly #config: StoreConfig
  readonly #stats: Stats
  readonly #source: CommitSource
  /** Last commit of each partition, or the one found when it was taken. No lower offset is ever committed. */
  readonly #committed = new Map<number, CommittedOffset>()
  /** Commits for a source that no longer exists. Exactly these may be replaced by lower offsets. */
  readonly #overruled = new Map<number, number>()
  readonly #log = new RepeatedLog(log)
  readonly #timer: ReturnType<typeof setInterval>
  #committing: Promise<void> | undefined

  constructor(client: KafkaClient, config: StoreConfig, stats: Stats, source: CommitSource) {
    this.#client = client
    this.#config = config
    this.#stats = stats
    this.#source = source
    this.#timer = setInterval(() => void this.commit(), clientsConfigOf(config).consumer.commitIntervalMs)
  }

  /** Commits new offsets. A failure is logged, counted, and retried with the next commit. */
  async commit(): Promise<void> {
    this.#committing ??= this.#commit().finally(() => (this.#committing = undefined))
    await this.#committing
  }

  /**
   * Offset of the last commit of a partition, or of the commit found at start; undefined if there is none or it is
   * invalid.
   */
  committedOffset(partition: number): number | undefined {
    return this.#committed.get(partition)?.offset
  }

  /** Resolves when no commit is in flight. */
  async settled(): Promise<void> {
    await this.#committing
  }

  /**
   * Forces the next commit of a partition, even with an unchanged offset.
   * @param floor lowest offset that may be committed
   */
  restate(partition: number, floor?: number): void {
    if (floor === undefined) this.#committed.delete(partition)
    else this.#committed.set(partition, { offset: floor, metadata: '' })
  }

  /** Commits a partition from now on. @param commit of the group; undefined if there is none */
  add(
    partition: number,
    commit: CommittedOffset | undefined,
    { discard, rebuild }: Pick<Resume, 'discard' | 'rebuild'>,
  ) {
    this.remove(partition)
    if (commit === undefined) return
    // A recreated source starts its offsets again, so a lower offset than before may be committed there.
    if (discard) this.#overruled.set(partition, commit.offset)
    // The metadata of this commit led to the rebuild. It is no longer true once the rebuild is done.
    else this.#committed.set(partition, rebuild ? { ...commit, metadata: '' } : commit)
    if (!discard) this.#stats.setGauge(partition, 'committed', commit.offset)
  }

  /** Forgets what is known of a partition. */
  remove(partition: number): void {
    this.#committed.delete(partition)
    this.#overruled.delete(partition)
    this.#stats.setGauge(partition, 'committed', -1)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Commits everything that is acknowledged now. */
  async commitAll(): Promise<void> {
    await this.#committing
    await this.commit()
  }

  /** Stops the timer and commits once more. */
  async close(): Promise<void> {
    this.stop()
    await this.commitAll()
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
      // If the process was frozen meanwhile, the response may be outdated. The next commit reads again.
      const ageMs = Math.round(performance.now() - askedAt)
      if (ageMs > answerAgeMaxMs) {
        const message = `Committing offsets of group ${group}: the committed offsets arrived after ${ageMs} ms and may be outdated`
        throw new LatchkeyError('request_timed_out', message)
      }
      for (const [partition, { offset }] of found) {
        // Another instance has gone further while this one was frozen. Its commit must not be lowered.
        const isAhead = offset > offsets.get(partition)!.offset && offset !== this.#overruled.get(partition)
        if (isAhead) offsets.delete(partition)
      }
      if (offsets.size === 0) return
      await commitOffsets(this.#client, group, sourceTopic, offsets, this.#changelogOffsets(offsets))
      this.#stats.add('commits', 1)
      for (const [partition, commit] of offsets) {
        this.#committed.set(partition, commit)
        this.#stats.setGauge(partition, 'committed', commit.offset)
        if (isDebug()) logCommit(group, sourceTopic, partition, commit.offset)
      }
    } catch (error) {
      if (!(error instanceof LatchkeyError)) throw error
      // Each plan of a group makes the identity of the former one invalid.
      const isReplanned = hasBrokerCode(error, illegalGeneration, unknownMember, rebalanceInProgress)
      if (isReplanned && this.#config.elastic !== undefined) {
        return log.debug('{fault}; trying again with the next plan', { fault: error.message })
      }
      this.#stats.add('commitFailures', 1)
      this.#log.log('warning', 'commit', '{fault}; trying again', { fault: error.message })
    }
  }

  #changelogOffsets(offsets: ReadonlyMap<number, CommittedOffset>): TopicOffsets {
    const noted = new Map<number, CommittedOffset>()
    for (const [partition, commit] of offsets) {
      const mark = changelogCommitOf(commit)
      if (mark !== undefined) noted.set(partition, mark)
    }
    return { topic: this.#config.changelogTopic, offsets: noted }
  }
}

function logCommit(group: string, topic: string, partition: number, offset: number): void {
  const properties = { group, topic, partition, offset }
  log.debug('Group {group} committed offset {offset} of {topic} partition {partition}', properties)
}

/**
 * Whether to commit: the offset is higher; or it is equal and the metadata stated before is no longer true, after a
 * rebuild or with other topics.
 */
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
