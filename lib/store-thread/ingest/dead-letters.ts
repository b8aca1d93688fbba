/**
 * Writes bad records to the dead-letter topic. While a dead letter of a partition is not acknowledged, nothing of that
 * partition is written to the changelog or committed. So a crash may repeat a dead letter, but never loses one. Writing
 * is retried indefinitely.
 */
import { LatchkeyError } from '../../errors.ts'
import { Producer } from '../../kafka/producer.ts'
import { hasBrokerCode, invalidTimestamp } from '../../kafka/protocol/error-codes.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { noIdentity } from '../../kafka/transactional-id.ts'
import type { DeadLetterTopic } from '../../topics/dead-letter-topic.ts'
import { findSourceRecord } from '../recovery/source-record.ts'
import { type BadRecord, DeadLetterBatch } from './dead-letter-batch.ts'
import type { Fault } from './dead-letter-headers.ts'
import type { IngestContext } from './ingest-context.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import { producerOptions } from './produce-options.ts'

/** What DeadLetters needs of ingest. */
export type DeadLetterContext = Pick<
  IngestContext,
  'clients' | 'config' | 'stats' | 'topology' | 'partitions' | 'accounting' | 'producer'
>

/** Returns undefined if there is no dead-letter topic. */
export function deadLettersOf(context: DeadLetterContext): DeadLetters | undefined {
  const { deadLetters } = context.topology
  return deadLetters && new DeadLetters(context, deadLetters)
}

export class DeadLetters {
  readonly #context: DeadLetterContext
  readonly #topic: DeadLetterTopic
  readonly #producer: Producer<DeadLetterBatch>
  /** Batches to write, by partition of the dead-letter topic. */
  readonly #queues = new Map<number, DeadLetterBatch[]>()
  readonly #open = new Map<PartitionIngest, DeadLetterBatch[]>()

  constructor(context: DeadLetterContext, topic: DeadLetterTopic) {
    const { clients, config } = context
    this.#context = context
    this.#topic = topic
    this.#producer = new Producer(clients.deadLetters, topic.name, { ...producerOptions(config), acks: -1 })
  }

  /** Adds a partition of the source. */
  add(partition: number): void {
    const target = this.#target(partition)
    if (this.#queues.has(target)) return
    this.#queues.set(target, [])
    this.#producer.own(target, noIdentity, { offset: 0, isSure: false })
  }

  run(): Promise<void> {
    return this.#producer.run({
      next: (partition) => this.#queues.get(partition)?.shift(),
      acknowledged: (_, batch) => this.#acknowledged(batch),
      refused: (_, batch, error) => this.#refused(batch, error),
      // Idempotence would need an identity that is fenced, and a crash may repeat a dead letter anyway.
      renew: () => Promise.resolve(noIdentity),
      wentBack: () => {},
      lost: () => {},
    })
  }

  stop(): void {
    this.#producer.stop()
  }

  /** Takes a dead letter for a record. send() writes the dead letters of one fetched chunk together. */
  append(state: PartitionIngest, found: BadRecord, fault: Fault): void {
    const batches = this.#open.get(state) ?? []
    this.#open.set(state, batches)
    const { storeId } = this.#context.config
    const { maxMessageBytes } = this.#topic
    const last = batches.at(-1)
    const before = last?.bytes ?? 0
    if (last?.add(found, fault, storeId, maxMessageBytes) === true) {
      state.deadLetters.grow(last.bytes - before)
      return
    }
    const batch = new DeadLetterBatch(state)
    batch.add(found, fault, storeId, maxMessageBytes)
    batches.push(batch)
    state.deadLetters.add(batch.bytes)
  }

  /**
   * Takes a dead letter for a record that the changelog refused. It contains the source's record, or the converted one
   * if the source no longer has it. The partition waits from now on.
   */
  appendRefused(state: PartitionIngest, stored: RecordBatchReader, fault: Fault): void {
    const converted = copyOf(stored)
    state.deadLetters.add(0)
    const write = async () => {
      const original = await this.#original(fault)
      if (original === undefined) this.append(state, converted, { ...fault, raw: 'changelog record' })
      else this.append(state, original, fault)
      state.deadLetters.remove(0)
      this.send(state)
    }
    // Rejects when the store stops. The record is read again after the next start.
    write().catch(() => {})
  }

  /** Writes the dead letters that were taken. */
  send(state: PartitionIngest): void {
    const batches = this.#open.get(state)
    if (batches === undefined) return
    this.#open.delete(state)
    if (this.#context.partitions.isCurrent(state)) this.#context.accounting.account(state)
    this.#queues.get(this.#target(state.partition))!.push(...batches)
    this.#producer.wake()
  }

  /** Returns undefined if the source no longer has the record, or cannot be read. */
  async #original({ topic, partition, offset }: Fault): Promise<BadRecord | undefined> {
    const { consumer } = this.#context.clients
    try {
      const record = await findSourceRecord(consumer, topic, partition, offset)
      return record && badRecordAt(record)
    } catch (error) {
      if (consumer.signal.aborted) throw error
      return undefined
    }
  }

  #target(partition: number): number {
    return partition % this.#topic.partitions
  }

  #acknowledged(batch: DeadLetterBatch): void {
    this.#context.stats.add('deadLetters', batch.count)
    this.#settle(batch)
  }

  #settle({ state, bytes }: DeadLetterBatch): void {
    const { partitions, accounting, producer } = this.#context
    const isLast = state.deadLetters.remove(bytes)
    if (!partitions.isCurrent(state)) return
    accounting.account(state)
    if (!isLast) return
    // What waits for the changelog may be written now.
    state.advance()
    accounting.progressed(state)
    producer.wake()
  }

  #refused(batch: DeadLetterBatch, error: LatchkeyError): DeadLetterBatch[] {
    const { state } = batch
    const parts = batch.parts(hasBrokerCode(error, invalidTimestamp))
    if (parts === undefined) {
      // The thrown error appears in the status, and the dead letter is retried after a pause, since an operator may
      // correct the topic.
      const found = `${error.message}; it does not even accept the reason alone; correct its configuration`
      throw new LatchkeyError('broker_refused', found, { cause: error, details: error.details })
    }
    for (const { bytes } of parts) state.deadLetters.add(bytes)
    this.#settle(batch)
    return parts
  }
}

/** Returns the record at which a reader is positioned. If it could not be decoded, its bytes are the value. */
export function badRecordAt(batch: RecordBatchReader): BadRecord {
  if (!batch.undecodable) return batch
  return {
    ...nothing,
    data: batch.data,
    valueStart: batch.recordStart,
    valueLength: batch.recordEnd - batch.recordStart,
  }
}

/** Returns bytes that could not be read as a record, as a value. */
export function badRecordOf(bytes: Buffer | undefined): BadRecord {
  return bytes === undefined ? nothing : { ...nothing, data: bytes, valueLength: bytes.length }
}

const nothing: BadRecord = {
  data: Buffer.alloc(0),
  keyStart: 0,
  keyLength: -1,
  valueStart: 0,
  valueLength: -1,
  headersStart: 0,
  headersEnd: 0,
  headerCount: 0,
  timestamp: -1,
}

/** Copies key, value and headers of the record at which a reader is positioned. */
function copyOf(batch: RecordBatchReader): BadRecord {
  const { data, keyStart, keyLength, valueStart, valueLength, headersStart, headersEnd, headerCount, timestamp } = batch
  const end = headerCount > 0 ? headersEnd : valueStart + Math.max(valueLength, 0)
  return {
    data: Buffer.from(data.subarray(keyStart, end)),
    keyStart: 0,
    keyLength,
    valueStart: valueStart - keyStart,
    valueLength,
    headersStart: headersStart - keyStart,
    headersEnd: headersEnd - keyStart,
    headerCount,
    timestamp,
  }
}
