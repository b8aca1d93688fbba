/** Reads the source for partitions in ingest and decodes fetched records into their batches. */
import type { LatchkeyError } from '../../errors.ts'
import { Fetcher } from '../../kafka/fetcher.ts'
import type { FetchedPartition } from '../../kafka/protocol/fetch.ts'
import { sourceFetch } from '../../topics/clients.ts'
import { setEnd } from '../ends.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { IngestContext } from './partition-lifecycle.ts'
import type { Settlement } from './settlement.ts'
import type { SourceDecoder } from './source-decoder.ts'

export interface SourceReaderHooks {
  /** Returns undefined for a partition that is lost. */
  partition(partition: number): PartitionIngest | undefined
  /** Called when records may have been encoded. */
  encoded(state: PartitionIngest): void
  /** Returns a promise that resolves when there is room to encode more; undefined if there is room. */
  room(): Promise<void> | undefined
}

export class SourceReader {
  readonly #context: IngestContext
  readonly #decoder: SourceDecoder
  readonly #settlement: Settlement
  readonly #deadLetters: DeadLetters | undefined
  readonly #hooks: SourceReaderHooks
  readonly #fetcher: Fetcher

  constructor(
    context: IngestContext,
    decoder: SourceDecoder,
    settlement: Settlement,
    deadLetters: DeadLetters | undefined,
    hooks: SourceReaderHooks,
  ) {
    const { clients, config } = context
    this.#context = context
    this.#decoder = decoder
    this.#settlement = settlement
    this.#deadLetters = deadLetters
    this.#hooks = hooks
    settlement.backlog.paused = (partition, isPaused) => this.#paused(partition, isPaused)
    this.#fetcher = new Fetcher(clients.consumer, config.sourceTopic, sourceFetch(config), {
      received: (fetched) => this.#received(fetched),
      takenTo: (partition) => hooks.partition(partition)?.consumed ?? 0,
      damaged: (partition, fault, times) => this.#damaged(partition, fault, times),
      room: hooks.room,
      outOfRange: (partition, position) => this.#outOfRange(partition, position),
      epochBegan: (partition) => context.events.epochBegan(partition),
      passOver: (partition, next, fault) => this.#passOver(partition, next, fault),
    })
  }

  run(): Promise<void> {
    return this.#fetcher.run()
  }

  /** Starts or stops reading a partition, from its consumed offset, as its `mayFetch` says. */
  fetch(state: PartitionIngest): void {
    if (state.mayFetch) this.#fetcher.add(state.partition, state.consumed, state.epochs)
    else this.#fetcher.remove(state.partition)
  }

  remove(partition: number): void {
    this.#fetcher.remove(partition)
  }

  /** To be called when a partition has halted at a record. */
  halted(state: PartitionIngest): void {
    this.fetch(state)
    this.#context.events.halted(state.partition, state.reading.halted!)
  }

  stop(): void {
    this.#settlement.backlog.stop()
    this.#fetcher.stop()
  }

  #received(fetched: FetchedPartition): number | undefined {
    const state = this.#hooks.partition(fetched.partition)
    if (state === undefined) return undefined
    let again: number | undefined
    try {
      again = this.#decoder.decode(fetched, state)
    } finally {
      this.#hooks.encoded(state)
      this.#deadLetters?.send(state)
    }
    const { halted, waiting, isReady } = state.reading
    if (halted !== undefined) this.halted(state)
    else if (waiting !== undefined) void this.#wait(state, waiting)
    setEnd(this.#context.stats, fetched.partition, fetched.lastStableOffset)
    state.advance()
    this.#settlement.progressed(state)
    return isReady ? again : undefined
  }

  /**
   * Pauses a partition whose changelog acknowledges nothing and whose share of the backlog is used up, or resumes it.
   */
  #paused(partition: number, isPaused: boolean): void {
    const state = this.#hooks.partition(partition)
    if (state === undefined) return
    state.reading.pause(isPaused)
    this.fetch(state)
  }

  /** @returns the offset to continue at; undefined if the partition is no longer fetched */
  #damaged(partition: number, fault: LatchkeyError, times: number): number | undefined {
    const state = this.#hooks.partition(partition)
    if (state === undefined) return undefined
    const next = this.#decoder.skipDamaged(state, fault, times)
    if (next === undefined) this.halted(state)
    else state.advance()
    this.#settlement.progressed(state)
    this.#deadLetters?.send(state)
    return next
  }

  #passOver(partition: number, next: number, fault: LatchkeyError): void {
    const state = this.#hooks.partition(partition)
    if (state === undefined) return
    if (this.#decoder.skipTo(state, next, fault)) state.advance()
    else this.halted(state)
    this.#deadLetters?.send(state)
  }

  /** Stops reading a partition until it is ready to continue at the record at which it waits. */
  async #wait(state: PartitionIngest, ready: Promise<void>): Promise<void> {
    this.#fetcher.remove(state.partition)
    await ready
    state.reading.proceed()
    if (this.#hooks.partition(state.partition) === state) this.fetch(state)
  }

  async #outOfRange(partition: number, position: number): Promise<number | undefined> {
    const state = this.#hooks.partition(partition)
    if (state === undefined) return undefined
    if (await this.#context.events.hasSourceChanged(partition, position)) return undefined
    const next = await this.#context.events.outOfRange(partition, position)
    state.consumeTo(next)
    return next
  }
}
