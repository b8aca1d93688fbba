/**
 * Writes between the main thread and the store thread. The writes of one turn of the event loop are sent together, in
 * one message per partition. The thread settles the writes of a partition in order, so its answers are counts, without
 * ids.
 */
import { LatchkeyError } from '../errors.ts'
import type { ToThread } from '../store-protocol/thread-messages.ts'
import { WriteFrame } from '../store-protocol/write-frame.ts'

/**
 * Maximum number of writes that wait for the changelog, and of bytes of their keys and values. Limits the memory that
 * they need while Kafka is away.
 */
export const writesMax = 100_000
export const writesBytesMax = 64 << 20
/** A frame of this size is sent at once. */
const frameBytesMax = 1 << 20
/** Minimum number of settled writes at the front of a queue before the rest is moved. */
const settledMin = 1_024

interface Write {
  resolve(): void
  reject(error: LatchkeyError): void
  bytes: number
}

interface PartitionWrites {
  readonly writes: Write[]
  /** Index of the first write that is not settled. */
  first: number
  frame: WriteFrame | undefined
}

export class WriteQueue {
  readonly #send: (message: ToThread, transfer: ArrayBuffer[]) => void
  readonly #partitions = new Map<number, PartitionWrites>()
  readonly #open = new Set<number>()
  #count = 0
  #bytes = 0

  constructor(send: (message: ToThread, transfer: ArrayBuffer[]) => void) {
    this.#send = send
  }

  /**
   * Resolves when the changelog has acknowledged the write.
   * @param value null to delete
   * @throws LatchkeyError writes_exhausted
   */
  write(partition: number, key: Uint8Array, value: Uint8Array | null): Promise<void> {
    const bytes = key.length + (value?.length ?? 0)
    if (this.#count >= writesMax || (this.#count > 0 && this.#bytes + bytes > writesBytesMax)) throw this.#exhausted()
    const queue = this.#partition(partition)
    queue.frame ??= new WriteFrame()
    queue.frame.append(key, value)
    if (queue.frame.bytes >= frameBytesMax) this.#sendFrame(partition, queue)
    else if (this.#open.size === 0) queueMicrotask(() => this.send())
    if (queue.frame !== undefined) this.#open.add(partition)
    this.#count++
    this.#bytes += bytes
    return new Promise((resolve, reject) => queue.writes.push({ resolve, reject, bytes }))
  }

  /** The oldest `count` writes of a partition are acknowledged and in memory. */
  written(partition: number, count: number): void {
    this.#settle(partition, count, (write) => write.resolve())
  }

  /** The oldest `count` writes of a partition will not be written. */
  refused(partition: number, count: number, error: LatchkeyError): void {
    this.#settle(partition, count, (write) => write.reject(error))
  }

  /** The thread sends nothing more. */
  end(error: LatchkeyError): void {
    for (const [partition, { writes, first }] of this.#partitions) this.refused(partition, writes.length - first, error)
  }

  #partition(partition: number): PartitionWrites {
    const known = this.#partitions.get(partition)
    if (known !== undefined) return known
    const queue = { writes: [], first: 0, frame: undefined }
    this.#partitions.set(partition, queue)
    return queue
  }

  #settle(partition: number, count: number, settle: (write: Write) => void): void {
    const queue = this.#partitions.get(partition)!
    const end = queue.first + count
    while (queue.first < end) {
      const write = queue.writes[queue.first++]!
      this.#count--
      this.#bytes -= write.bytes
      settle(write)
    }
    if (queue.first < settledMin && queue.first < queue.writes.length) return
    queue.writes.splice(0, queue.first)
    queue.first = 0
  }

  /** Sends the writes that wait for the end of the turn. */
  send(): void {
    for (const partition of this.#open) this.#sendFrame(partition, this.#partitions.get(partition)!)
  }

  #sendFrame(partition: number, queue: PartitionWrites): void {
    const records = queue.frame!.contents()
    queue.frame = undefined
    this.#open.delete(partition)
    this.#send({ type: 'write', partition, timestamp: Date.now(), records }, [records.buffer])
  }

  #exhausted(): LatchkeyError {
    const found = `${this.#count} writes of ${this.#bytes} bytes wait for Kafka already`
    return new LatchkeyError('writes_exhausted', `Writing: ${found}. Await earlier writes before more are written`)
  }
}
