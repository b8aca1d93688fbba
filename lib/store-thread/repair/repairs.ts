/**
 * Repairs changelog partitions that have lost acknowledged records while the store runs, by an unclean leader election
 * or because the topic was recreated. The map has everything that was acknowledged, so the log is restored from the map
 * (from-memory.ts). Lookups continue; nothing else is written, and nothing is committed. The first step notes in the
 * group's commit that the partition is being rebuilt, so a crash during the repair leads to a discard and a rebuild.
 */
import { LatchkeyError } from '../../errors.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { loggerOf } from '../../log/index.ts'
import { partitionStateOf, setPartitionState } from '../../store-protocol/partition-state.ts'
import { nounFor } from '../../text/counted.ts'
import type { Ingest } from '../ingest/ingest.ts'
import type { PartitionOwnership } from '../ingest/partition-ownership.ts'
import { corruptChangelog } from '../recovery/corrupt-changelog.ts'
import { openBatches } from '../recovery/log-batches.ts'
import { logLostRecords } from '../recovery/resume.ts'
import { logUnheld } from '../recovery/unheld-records.ts'
import type { StoreContext } from '../store-context.ts'
import { type ConfirmedEnd, divergedAt } from './divergence.ts'
import { reachOf, repairFromMemory, type RepairInput } from './from-memory.ts'

const log = loggerOf('store')

/** Reads and changes what the group's commits state of a partition. */
export interface RepairLedger {
  /** Notes that the partition is being rebuilt. Resolves when no earlier commit of it can arrive any more. */
  noteRebuild(partition: number): Promise<void>
  /** Returns the last end that was confirmed for a commit. */
  confirmed(partition: number): ConfirmedEnd | undefined
  /**
   * Called when the partition is complete again, in a changelog that starts at `changelogStart`. The next commit must
   * state that, even with an unchanged offset.
   */
  repaired(partition: number, changelogStart: number): void
}

interface Loss {
  /** First changelog offset that is missing. */
  from: number
  /** Whether one of our batches has landed at a missing offset. */
  hasLanded: boolean
  /** Whether the partition must be or is being taken. Nothing of it is written then. */
  isTaking: boolean
}

export class Repairs {
  readonly #context: StoreContext
  readonly #ownership: PartitionOwnership
  readonly #ingest: Ingest
  readonly #ledger: RepairLedger
  readonly #losses = new Map<number, Loss>()
  readonly #looking = new Set<number>()

  constructor(context: StoreContext, ownership: PartitionOwnership, ingest: Ingest, ledger: RepairLedger) {
    this.#context = context
    this.#ownership = ownership
    this.#ingest = ingest
    this.#ledger = ledger
  }

  /** Whether the partition's changelog may be incomplete, so that nothing may be committed. */
  isRepairing(partition: number): boolean {
    return this.#losses.has(partition)
  }

  /**
   * To be called when one of our acknowledged batches has landed below what was written before. beginsInstead() must
   * follow before the next batch is written.
   */
  landedBelow(partition: number, baseOffset: number): void {
    const from = Math.min(baseOffset, this.#losses.get(partition)?.from ?? baseOffset)
    this.#notice(partition, from)
  }

  /** To be called when the topic was recreated: nothing that was written is in it. */
  recreated(): void {
    for (const partition of this.#context.roles.primaries) {
      const loss = this.#losses.get(partition)
      if (loss?.isTaking === true) loss.from = 0
      else if (this.#ingest.changelogEnd(partition) > 0) this.#notice(partition, 0)
    }
    this.#ingest.repairs.renew()
  }

  /** Checks for a loss after a hint, such as a new leader. Takes the partition again if there is one. */
  async look(partition: number): Promise<void> {
    const { clients, config } = this.#context
    const written = this.#ingest.changelogEnd(partition)
    if (written < 0 || this.isRepairing(partition) || this.#looking.has(partition)) return
    this.#looking.add(partition)
    const confirmed = this.#ledger.confirmed(partition)
    try {
      const diverged = await divergedAt(clients.producer, config.changelogTopic, partition, written, confirmed)
      if (diverged !== undefined && !this.isRepairing(partition)) this.#ingest.repairs.renew(partition)
    } catch (error) {
      // Writes to the partition meet the same error and report it.
      if (!(error instanceof LatchkeyError)) throw error
    } finally {
      this.#looking.delete(partition)
    }
  }

  /**
   * To be called before a partition is taken again, when nothing of it is in flight.
   * @returns true if its changelog has lost records; then a repair takes the partition
   */
  async beginsInstead(partition: number): Promise<boolean> {
    const { clients, config } = this.#context
    if (this.#losses.get(partition)?.isTaking === true) return true
    const written = this.#ingest.changelogEnd(partition)
    const confirmed = this.#ledger.confirmed(partition)
    const diverged = await divergedAt(clients.producer, config.changelogTopic, partition, written, confirmed)
    const before = this.#losses.get(partition)
    if (diverged === undefined && before?.hasLanded !== true) return false
    // Records that an interrupted repair wrote may be lost too, so the repair starts again at the lower offset.
    const from = Math.min(diverged ?? written, before?.from ?? written)
    const loss = { from, hasLanded: before?.hasLanded ?? false, isTaking: true }
    if (!this.#ingest.repairs.withhold(partition)) return false
    this.#losses.set(partition, loss)
    this.#began(partition, from, written)
    this.#repair(partition, loss).catch((error: unknown) => {
      if (!(error instanceof LatchkeyError) || error.code !== 'stopping') this.#context.failed(error)
    })
    return true
  }

  async #repair(partition: number, loss: Loss): Promise<void> {
    const { clients, config } = this.#context
    const { changelogTopic } = config
    const isCurrent = () => this.#losses.get(partition) === loss
    const found = await this.#take(partition, loss)
    if (found === undefined || !isCurrent()) return
    const unheld = (fault: LatchkeyError) => logUnheld(changelogTopic, partition, fault)
    const upTo = (to: number) => {
      return openBatches(clients.changelog, changelogTopic, partition, { from: found.start, to }, { unheld })
    }
    const batches = { kept: () => upTo(loss.from), all: () => upTo(found.end) }
    try {
      const isDone = config.useProcessingOnly
        ? await this.#readSourceAgain(partition, batches.kept)
        : await this.#writeMemory(partition, batches)
      // The next owner finds the note.
      if (this.#ingest.changelogEnd(partition) < 0) return this.#forget(partition)
      if (!isDone || !isCurrent()) return
    } catch (error) {
      throw corruptChangelog(changelogTopic, partition, error)
    }
    this.#forget(partition)
    this.#ledger.repaired(partition, found.start)
    this.#ingest.repairs.release(partition)
    const { stats } = this.#context
    if (partitionStateOf(stats, partition) === 'repairing') setPartitionState(stats, partition, 'running')
    log.warn('{changelogTopic} partition {partition}: repaired', { changelogTopic, partition })
  }

  /** @returns where the changelog starts and ends; undefined if another instance has the partition */
  async #take(partition: number, loss: Loss): Promise<{ start: number; end: number } | undefined> {
    const { clients, config } = this.#context
    // Without a map there is nothing to discard. A start resumes after the highest source offset, so only a batch that
    // landed out of order requires the note.
    if (!config.useProcessingOnly || loss.hasLanded) await this.#ledger.noteRebuild(partition)
    const client = clients.producer
    // Loads the current topic id, which the commit names.
    await client.retryForever(() => client.metadata([config.changelogTopic]))
    try {
      const identity = await this.#ownership.renew(partition, loss.from)
      const ask = (spec: 'earliest' | 'latest') =>
        client.retryForever(() => listOffsets(client, config.changelogTopic, [partition], spec, 'read_uncommitted'))
      const start = (await ask('earliest')).get(partition)!
      const end = (await ask('latest')).get(partition)!
      loss.isTaking = false
      this.#ingest.repairs.taken(partition, identity, { offset: end, isSure: false })
      return { start, end }
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.code !== 'fenced') throw error
      this.#ingest.repairs.takenByOther(partition, error)
      this.#forget(partition)
      return undefined
    }
  }

  /** @returns false if another loss was detected meanwhile, or the partition halted */
  async #writeMemory(partition: number, batches: Pick<RepairInput, 'kept' | 'all'>): Promise<boolean> {
    const { map, stats, config } = this.#context
    const acknowledged = this.#ingest.acknowledged(partition) - 1
    const isRebuilt = ['recovering', 'rebuilding'].includes(partitionStateOf(stats, partition))
    const wasHalted = this.#ingest.repairs.isHalted(partition)
    let repaired = { records: 0, tombstones: 0 }
    const isDone = await this.#ingest.repairs.amend(partition, async (amendment) => {
      repaired = await repairFromMemory(amendment, { map, partition, ...batches, acknowledged, isRebuilt })
    })
    if (!isDone) return false
    const records = nounFor(repaired.records, 'record')
    const tombstones = nounFor(repaired.tombstones, 'tombstone')
    const message = `{changelogTopic} partition {partition}: wrote {records} ${records} and {tombstones} ${tombstones} again`
    log.warn(message, { changelogTopic: config.changelogTopic, partition, ...repaired })
    return this.#ingest.repairs.isHalted(partition) === wasHalted
  }

  /** Reads lost records from the source again. Without a map there is no other copy. */
  async #readSourceAgain(partition: number, kept: RepairInput['kept']): Promise<boolean> {
    const { clients, config } = this.#context
    const { sourceTopic } = config
    const client = clients.consumer
    const acknowledged = this.#ingest.acknowledged(partition)
    const next = (await reachOf(kept())) + 1
    const starts = await client.retryForever(() => listOffsets(client, sourceTopic, [partition], 'earliest'))
    const position = Math.max(next, starts.get(partition)!)
    if (next > 0 && position > next) logLostRecords(sourceTopic, partition, position - next, position, 'earliest')
    this.#ingest.repairs.rewind(partition, position)
    this.#ingest.repairs.release(partition)
    return this.#ingest.repairs.reached(partition, acknowledged)
  }

  #began(partition: number, from: number, written: number): void {
    const { post, config } = this.#context
    const { changelogTopic, useProcessingOnly } = config
    const by = useProcessingOnly ? 'the source is read again from there' : 'they are written again from memory'
    const found = `records that were acknowledged are missing from offset ${from} on, where ${written} had been reached`
    const reason = `${changelogTopic} partition ${partition}: ${found}; ${by}. Look for an unclean leader election, or for what recreated the topic`
    this.#setRepairing(partition)
    post({ type: 'repairing', partition, reason })
    log.error('{reason}', { reason })
  }

  /**
   * Notes that one of our batches landed at an offset that had another record. The repair begins when nothing of the
   * partition is in flight.
   */
  #notice(partition: number, from: number): void {
    this.#losses.set(partition, { from, hasLanded: true, isTaking: false })
    this.#setRepairing(partition)
  }

  #setRepairing(partition: number): void {
    const { stats } = this.#context
    if (partitionStateOf(stats, partition) === 'running') setPartitionState(stats, partition, 'repairing')
  }

  #forget(partition: number): void {
    this.#losses.delete(partition)
    this.#context.post({ type: 'repaired', partition })
  }
}
