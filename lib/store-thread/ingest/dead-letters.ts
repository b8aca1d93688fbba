/**
 * Bad records on their way to the dead-letter topic. While one of a partition is not acknowledged there, nothing of that partition is written
 * to the changelog or committed: so a crash may repeat a letter, but never lose one. Written again and again until it is taken, as everything is.
 */
import { LatchkeyError } from '../../errors.ts'
import { Producer } from '../../kafka/producer.ts'
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { noIdentity } from '../../kafka/transactional-id.ts'
import { findSourceRecord } from '../recovery/source-record.ts'
import { type StoreContext } from '../store-context.ts'
import { type DeadLetterTopic } from '../../topics/dead-letter-topic.ts'
import { type Fault } from './dead-letter-headers.ts'
import { type Found, LetterBatch } from './letter-batch.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { producerOptions } from './produce-options.ts'

export interface DeadLetterSink {
  /** Bytes that wait to be acknowledged; negative for what is. */
  account(one: PartitionIngest, bytes: number): void
  /** The last letter that a partition had under way is acknowledged: it may go on. */
  released(one: PartitionIngest): void
}

/** Undefined where bad records go nowhere. */
export function deadLettersOf(context: StoreContext, sink: DeadLetterSink): DeadLetters | undefined {
  const { deadLetters } = context.topology
  return deadLetters && new DeadLetters(context, deadLetters, sink)
}

export class DeadLetters {
  readonly #context: StoreContext
  readonly #topic: DeadLetterTopic
  readonly #sink: DeadLetterSink
  readonly #producer: Producer<LetterBatch>
  /** Waiting to be written, by partition of the dead-letter topic. */
  readonly #queues = new Map<number, LetterBatch[]>()
  readonly #open = new Map<PartitionIngest, LetterBatch[]>()

  constructor(context: StoreContext, topic: DeadLetterTopic, sink: DeadLetterSink) {
    const { clients, config } = context
    this.#context = context
    this.#topic = topic
    this.#sink = sink
    this.#producer = new Producer(
      clients.deadLetters,
      topic.name,
      { ...producerOptions(config), acks: -1 },
      {
        next: (partition) => this.#queues.get(partition)?.shift(),
        acknowledged: (_, batch) => this.#acknowledged(batch),
        refused: (_, batch, error) => this.#refused(batch, error),
        // Idempotence would need an identity that is fenced; a letter may come twice all the same.
        renew: () => Promise.resolve(noIdentity),
        wentBack: () => {},
        lost: () => {},
      },
    )
  }

  /** A partition of the source whose letters may come. */
  add(partition: number): void {
    const target = this.#target(partition)
    if (this.#queues.has(target)) return
    this.#queues.set(target, [])
    this.#producer.own(target, noIdentity, { offset: 0, isSure: false })
  }

  run(): Promise<void> {
    return this.#producer.run()
  }

  stop(): void {
    this.#producer.stop()
  }

  /** Takes a letter about a record; send() lets those of one fetched chunk go together. */
  take(one: PartitionIngest, found: Found, fault: Fault): void {
    const batches = this.#open.get(one) ?? []
    this.#open.set(one, batches)
    const { storeId } = this.#context.config
    const { maxMessageBytes } = this.#topic
    const last = batches.at(-1)
    const before = last?.bytes ?? 0
    if (last?.add(found, fault, storeId, maxMessageBytes) === true) {
      one.letterBytes += last.bytes - before
      return
    }
    const batch = new LetterBatch(one)
    batch.add(found, fault, storeId, maxMessageBytes)
    batches.push(batch)
    one.letters++
    one.letterBytes += batch.bytes
  }

  /**
   * Takes a letter about a record that the changelog has refused. What is told of it is what the source has, if that still has it; converted as
   * it may be otherwise. The partition waits from now on.
   */
  takeRefused(one: PartitionIngest, stored: RecordBatchReader, fault: Fault): void {
    const converted = copyOf(stored)
    one.letters++
    const write = async () => {
      const original = await this.#original(fault)
      if (original === undefined) this.take(one, converted, { ...fault, raw: 'changelog record' })
      else this.take(one, original, fault)
      one.letters--
      this.send(one)
    }
    // Rejects when the store stops: the record will be read again.
    write().catch(() => {})
  }

  /** Writes what was taken. */
  send(one: PartitionIngest): void {
    const batches = this.#open.get(one)
    if (batches === undefined) return
    this.#open.delete(one)
    for (const batch of batches) this.#sink.account(one, batch.bytes)
    this.#queues.get(this.#target(one.partition))!.push(...batches)
    this.#producer.wake()
  }

  /** Undefined where it is gone, or cannot be asked for any more. */
  async #original({ topic, partition, offset }: Fault): Promise<Found | undefined> {
    const { consumer } = this.#context.clients
    try {
      const record = await findSourceRecord(consumer, topic, partition, offset)
      return record && foundAt(record)
    } catch (error) {
      if (consumer.signal.aborted) throw error
      return undefined
    }
  }

  #target(partition: number): number {
    return partition % this.#topic.partitions
  }

  #acknowledged(batch: LetterBatch): void {
    this.#context.stats.add('deadLetters', batch.count)
    this.#settle(batch)
  }

  #settle({ one, bytes }: LetterBatch): void {
    one.letters--
    one.letterBytes -= bytes
    this.#sink.account(one, -bytes)
    if (one.letters === 0) this.#sink.released(one)
  }

  #refused(batch: LetterBatch, error: LatchkeyError): LetterBatch[] {
    const { one } = batch
    const parts = batch.parts(/TIMESTAMP/.test(String(error.details['kafka'])))
    if (parts === undefined) {
      // Thrown, it shows in the status, and the letter is tried again after a pause: somebody may mend the topic.
      const found = `${error.message}; it takes not even the reason alone: correct its configuration`
      throw new LatchkeyError('broker_refused', found, { cause: error, details: error.details })
    }
    one.letters += parts.length
    for (const { bytes } of parts) {
      one.letterBytes += bytes
      this.#sink.account(one, bytes)
    }
    this.#settle(batch)
    return parts
  }
}

/** The record that a reader stands at, with its own bytes as the value where it could not be decoded. */
export function foundAt(batch: RecordBatchReader): Found {
  if (!batch.undecodable) return batch
  return {
    ...nothing,
    data: batch.data,
    valueStart: batch.recordStart,
    valueLength: batch.recordEnd - batch.recordStart,
  }
}

/** Bytes alone, of what could not be read as a record. */
export function foundBytes(bytes: Buffer | undefined): Found {
  return bytes === undefined ? nothing : { ...nothing, data: bytes, valueLength: bytes.length }
}

const nothing: Found = {
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

/** Key, value and headers of the record that a reader stands at, in a buffer of their own. */
function copyOf(batch: RecordBatchReader): Found {
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
