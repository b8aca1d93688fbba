/**
 * Corrects partitions whose source has changed while the store runs. If the source was recreated, everything is deleted
 * and the source is read from its start. If it was truncated at an offset, the keys whose latest record is at or above
 * that offset are deleted. The source is then read from its start for these keys and for keys that the map does not
 * have, and from that offset on for all keys. The first step notes in the group's commit that the partition is being
 * rebuilt, so a crash leads to a discard of the whole partition. Lookups continue; one that finds nothing in such a
 * partition must be repeated later.
 */
import { LatchkeyError } from '../../errors.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { loggerOf } from '../../log/index.ts'
import { setPartitionState } from '../../store-protocol/partition-state.ts'
import { nounFor } from '../../text/counted.ts'
import { runsCallbacks } from '../ingest/callback-runner.ts'
import type { CatchUp } from '../ingest/catch-up.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { PartitionLifecycle } from '../ingest/partition-lifecycle.ts'
import { RereadFilter } from '../ingest/reread-filter.ts'
import type { StoreContext } from '../store-context.ts'
import { Discarded } from './discarded.ts'
import { changedReason, requireMemory, requireSamePartitions } from './source-changes.ts'
import type { SourceChange } from './source-watch.ts'

const log = loggerOf('store')

/** Changes what the group's commits state of a partition. */
export interface RereadLedger {
  /** Notes that the partition is being rebuilt, at an offset that no later commit is below. */
  noteRebuild(partition: number, offset: number): Promise<void>
  /** Called when the partition is complete again. The next commit must state that, even with an unchanged offset. */
  reread(partition: number): void
}

export class Rereads {
  readonly #context: StoreContext
  readonly #ingest: Ingest
  readonly #events: PartitionLifecycle
  readonly #ledger: RereadLedger
  /** The latest change of each partition that is not being processed yet. */
  readonly #due = new Map<number, SourceChange>()
  readonly #running = new Map<number, SourceChange>()
  /** Partitions with an interrupted reread. The next one discards the whole partition. */
  readonly #unfinished = new Set<number>()
  #catchUp: CatchUp | undefined

  constructor(context: StoreContext, ingest: Ingest, events: PartitionLifecycle, ledger: RereadLedger) {
    this.#context = context
    this.#ingest = ingest
    this.#events = events
    this.#ledger = ledger
  }

  /** To be called when everything recovered is visible. Processes the changes detected so far. */
  begin(catchUp: CatchUp): void {
    this.#catchUp = catchUp
    for (const partition of this.#due.keys()) this.#start(partition)
  }

  isChanging(partition: number): boolean {
    return this.#due.has(partition) || this.#running.has(partition)
  }

  /** Reports a change. The partition's source is not read until the change is processed. */
  changed(partition: number, change: SourceChange): void {
    const state = this.#ingest.partition(partition)
    const known = this.#due.get(partition) ?? this.#running.get(partition)
    if (state === undefined || (known !== undefined && isSame(known, change))) return
    // A halted partition has reported its reason. The next start detects the change too.
    if (state.reading.halted !== undefined) return
    if (this.#running.has(partition)) this.#unfinished.add(partition)
    this.#due.set(partition, change)
    this.#ingest.follow(partition, false)
    if (this.#catchUp !== undefined) this.#start(partition)
  }

  #start(partition: number): void {
    // Ends a reread in progress for the partition; #workOff() then continues with the new change.
    void this.#catchUp!.again(partition)
    if (this.#running.has(partition)) return
    this.#workOff(partition).catch((error: unknown) => {
      if (!(error instanceof LatchkeyError) || error.code !== 'stopping') this.#context.failed(error)
    })
  }

  async #workOff(partition: number): Promise<void> {
    for (let change = this.#due.get(partition); change !== undefined; change = this.#due.get(partition)) {
      this.#due.delete(partition)
      this.#running.set(partition, change)
      try {
        await this.#reread(partition, change)
      } finally {
        this.#running.delete(partition)
      }
    }
    this.#context.post({ type: 'rebuilt', partition })
  }

  async #reread(partition: number, change: SourceChange): Promise<void> {
    const { config, map } = this.#context
    const arrived = this.#catchUp!.again(partition)
    const state = this.#ingest.partition(partition)
    if (state === undefined) return
    this.#log(partition, change, state.consumed)
    requireMemory(this.#context.config)
    if (change.kind === 'recreated') await requireSamePartitions(this.#context)
    const isWhole = change.kind === 'recreated' || runsCallbacks(this.#context) || this.#unfinished.has(partition)
    this.#unfinished.add(partition)
    const from = change.kind === 'truncated' ? change.at : 0
    const { start, end } = await this.#rangeOf(partition)
    if (this.#due.has(partition)) return
    const discarded = new Discarded(map, partition, isWhole ? undefined : from)
    state.setReread(undefined)
    while (this.#ingest.partition(partition) === state && !discarded.isDone && !this.#due.has(partition)) {
      await this.#ingest.amend(partition, async (amendment) => {
        discarded.noteReached(state.acknowledged)
        await this.#ledger.noteRebuild(partition, Math.min(isWhole ? start : from, state.acknowledged))
        this.#ingest.repairs.rewind(partition, start)
        await discarded.write(amendment)
      })
    }
    if (this.#due.has(partition) || this.#ingest.partition(partition) !== state) return
    log.warn(
      `{sourceTopic} partition {partition}: {keys} ${nounFor(discarded.count, 'key')} deleted, to be read again`,
      {
        sourceTopic: config.sourceTopic,
        partition,
        keys: discarded.count,
      },
    )
    // Makes the deletions visible, also to callbacks.
    await this.#context.flusher.flush()
    if (this.#due.has(partition)) return
    state.epochs.cut(from)
    if (!isWhole) {
      const isHeld = (key: Uint8Array, at: number, length: number) => map.has(partition, key, at, length)
      state.setReread(new RereadFilter(Math.min(from, discarded.reached ?? from), discarded.keys, isHeld))
    }
    this.#catchUp!.aim(partition, start, isWhole ? end : from)
    this.#ingest.follow(partition)
    this.#events.progressed(partition, state.acknowledged)
    if (!(await arrived)) return
    state.setReread(undefined)
    this.#unfinished.delete(partition)
    this.#ledger.reread(partition)
    log.warn('{sourceTopic} partition {partition}: read again', { sourceTopic: config.sourceTopic, partition })
  }

  #log(partition: number, change: SourceChange, position: number): void {
    const { stats, post } = this.#context
    const reason = changedReason(this.#context.config, partition, change, position)
    setPartitionState(stats, partition, 'rebuilding')
    post({ type: 'rebuilding', partition, reason })
    log.error('{reason}', { reason })
  }

  async #rangeOf(partition: number): Promise<{ start: number; end: number }> {
    const { clients, config } = this.#context
    const client = clients.consumer
    const ask = (spec: 'earliest' | 'latest') =>
      client.retryForever(() => listOffsets(client, config.sourceTopic, [partition], spec))
    const start = (await ask('earliest')).get(partition)!
    return { start, end: (await ask('latest')).get(partition)! }
  }
}

function isSame(one: SourceChange, other: SourceChange): boolean {
  if (one.kind === 'recreated') return other.kind === 'recreated' ? one.id === other.id : false
  return other.kind === 'truncated' && one.at === other.at
}
