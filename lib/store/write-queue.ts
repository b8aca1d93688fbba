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
    const one = this.#partition(partition)
    one.frame ??= new WriteFrame()
    one.frame.append(key, value)
    if (one.frame.bytes >= frameBytesMax) this.#sendFrame(partition, one)
    else if (this.#open.size === 0) queueMicrotask(() => this.send())
    if (one.frame !== undefined) this.#open.add(partition)
    this.#count++
    this.#bytes += bytes
    return new Promise((resolve, reject) => one.writes.push({ resolve, reject, bytes }))
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
    const one = { writes: [], first: 0, frame: undefined }
    this.#partitions.set(partition, one)
    return one
  }

  #settle(partition: number, count: number, settle: (write: Write) => void): void {
    const one = this.#partitions.get(partition)!
    const end = one.first + count
    while (one.first < end) {
      const write = one.writes[one.first++]!
      this.#count--
      this.#bytes -= write.bytes
      settle(write)
    }
    if (one.first < settledMin && one.first < one.writes.length) return
    one.writes.splice(0, one.first)
    one.first = 0
  }

  /** Sends the writes that wait for the end of the turn. */
  send(): void {
    for (const partition of this.#open) this.#sendFrame(partition, this.#partitions.get(partition)!)
  }

  #sendFrame(partition: number, one: PartitionWrites): void {
    const records = one.frame!.contents()
    one.frame = undefined
    this.#open.delete(partition)
    this.#send({ type: 'write', partition, timestamp: Date.now(), records }, [records.buffer])
  }

  #exhausted(): LatchkeyError {
    const found = `${this.#count} writes of ${this.#bytes} bytes wait for Kafka already`
    return new LatchkeyError('writes_exhausted', `Writing: ${found}; await earlier ones before you write more`)
  }
}
