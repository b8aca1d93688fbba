/** Takes what is fetched from the source: decodes records into the batches of their partition in ingest. */
import type { LatchkeyError } from '../../errors.ts'
import type { FetchSink } from '../../kafka/fetch-sink.ts'
import type { FetchedPartition } from '../../kafka/protocol/fetch.ts'
import { setEnd } from '../ends.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { IngestContext } from './ingest-context.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { SourceDecoder } from './source-decoder.ts'

export class SourceReader implements FetchSink {
  readonly #context: IngestContext
  readonly #decoder: SourceDecoder
  readonly #deadLetters: DeadLetters | undefined

  constructor(context: IngestContext, decoder: SourceDecoder, deadLetters: DeadLetters | undefined) {
    this.#context = context
    this.#decoder = decoder
    this.#deadLetters = deadLetters
  }

  received(fetched: FetchedPartition, _: number, askedAt?: number): number | undefined {
    const { partitions, accounting, linger, fetcher, stats, memory } = this.#context
    const state = partitions.get(fetched.partition)
    if (state === undefined) return undefined
    let again: number | undefined
    try {
      again = this.#decoder.decode(fetched, state, memory.decodeBytesMax)
    } finally {
      accounting.account(state)
      linger.appended(state.queue)
      this.#deadLetters?.send(state)
    }
    const { halted, waiting, isReady } = state.reading
    if (halted !== undefined) fetcher.halted(state)
    else if (waiting !== undefined) void this.#wait(state, waiting)
    if (askedAt !== undefined) setEnd(stats, fetched.partition, { end: fetched.lastStableOffset, askedAt })
    state.advance()
    accounting.progressed(state)
    memory.check()
    return isReady ? again : undefined
  }

  takenTo(partition: number): number {
    return this.#context.partitions.get(partition)?.consumed ?? 0
  }

  damaged(partition: number, fault: LatchkeyError, times: number): number | undefined {
    const { partitions, fetcher, accounting } = this.#context
    const state = partitions.get(partition)
    if (state === undefined) return undefined
    const next = this.#decoder.skipDamaged(state, fault, times)
    if (next === undefined) fetcher.halted(state)
    else state.advance()
    accounting.progressed(state)
    this.#deadLetters?.send(state)
    return next
  }

  passOver(partition: number, next: number, fault: LatchkeyError): void {
    const { partitions, fetcher } = this.#context
    const state = partitions.get(partition)
    if (state === undefined) return
    if (this.#decoder.skipTo(state, next, fault)) state.advance()
    else fetcher.halted(state)
    this.#deadLetters?.send(state)
  }

  room(): Promise<void> | undefined {
    return this.#context.accounting.room()
  }

  async outOfRange(partition: number, position: number): Promise<number | undefined> {
    const { partitions, events } = this.#context
    const state = partitions.get(partition)
    if (state === undefined) return undefined
    if (await events.hasSourceChanged(partition, position)) return undefined
    const next = await events.outOfRange(partition, position)
    state.consumeTo(next)
    return next
  }

  epochBegan(partition: number): void {
    this.#context.events.epochBegan(partition)
  }

  /** Stops reading a partition until it is ready to continue at the record at which it waits. */
  async #wait(state: PartitionIngest, ready: Promise<void>): Promise<void> {
    const { partitions, fetcher } = this.#context
    fetcher.remove(state.partition)
    await ready
    state.reading.proceed()
    if (partitions.isCurrent(state)) fetcher.update(state)
  }
}
