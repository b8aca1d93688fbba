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
  encoded(one: PartitionIngest): void
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
  fetch(one: PartitionIngest): void {
    if (one.mayFetch) this.#fetcher.add(one.partition, one.consumed, one.epochs)
    else this.#fetcher.remove(one.partition)
  }

  remove(partition: number): void {
    this.#fetcher.remove(partition)
  }

  /** To be called when a partition has halted at a record. */
  halted(one: PartitionIngest): void {
    this.fetch(one)
    this.#context.events.halted(one.partition, one.reading.halted!)
  }

  stop(): void {
    this.#settlement.backlog.stop()
    this.#fetcher.stop()
  }

  #received(fetched: FetchedPartition): number | undefined {
    const one = this.#hooks.partition(fetched.partition)
    if (one === undefined) return undefined
    let again: number | undefined
    try {
      again = this.#decoder.decode(fetched, one)
    } finally {
      this.#hooks.encoded(one)
      this.#deadLetters?.send(one)
    }
    const { halted, waiting, isReady } = one.reading
    if (halted !== undefined) this.halted(one)
    else if (waiting !== undefined) void this.#wait(one, waiting)
    setEnd(this.#context.stats, fetched.partition, fetched.lastStableOffset)
    one.advance()
    this.#settlement.progressed(one)
    return isReady ? again : undefined
  }

  /**
   * Pauses a partition whose changelog acknowledges nothing and whose share of the backlog is used up, or resumes it.
   */
  #paused(partition: number, isPaused: boolean): void {
    const one = this.#hooks.partition(partition)
    if (one === undefined) return
    one.reading.pause(isPaused)
    this.fetch(one)
  }

  /** @returns the offset to continue at; undefined if the partition is no longer fetched */
  #damaged(partition: number, fault: LatchkeyError, times: number): number | undefined {
    const one = this.#hooks.partition(partition)
    if (one === undefined) return undefined
    const next = this.#decoder.passOverDamaged(one, fault, times)
    if (next === undefined) this.halted(one)
    else one.advance()
    this.#settlement.progressed(one)
    this.#deadLetters?.send(one)
    return next
  }

  #passOver(partition: number, next: number, fault: LatchkeyError): void {
    const one = this.#hooks.partition(partition)
    if (one === undefined) return
    if (this.#decoder.passOver(one, next, fault)) one.advance()
    else this.halted(one)
    this.#deadLetters?.send(one)
  }

  /** Stops reading a partition until it is ready to continue at the record at which it waits. */
  async #wait(one: PartitionIngest, ready: Promise<void>): Promise<void> {
    this.#fetcher.remove(one.partition)
    await ready
    one.reading.proceed()
    if (this.#hooks.partition(one.partition) === one) this.fetch(one)
  }

  async #outOfRange(partition: number, position: number): Promise<number | undefined> {
    const one = this.#hooks.partition(partition)
    if (one === undefined) return undefined
    if (await this.#context.events.hasSourceChanged(partition, position)) return undefined
    const next = await this.#context.events.outOfRange(partition, position)
    one.consumeTo(next)
    return next
  }
}
