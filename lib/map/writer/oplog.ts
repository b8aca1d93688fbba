/**
 * The operations since the last publish, in order. An operation is the hash of a key and the address of its entry,
 * which holds the rest. Private to the writer. Operations have consecutive numbers since the creation of the map.
 * `start` is the first operation that not both sides have absorbed.
 */
import { LatchkeyError } from '../../errors.ts'
import { oplogOperationsMax } from '../memory/limits.ts'

const firstCapacity = 4096

export class Oplog {
  #operations = new Int32Array(2 * firstCapacity)
  #start = 0
  #end = 0
  /** Number of the operation in #operations[0]. */
  #base = 0
  #startBytes = 0
  #endBytes = 0

  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  get length(): number {
    return this.#end - this.#start
  }

  /**
   * Bytes of all entries ever appended. The difference between two values is the size of the entries appended
   * between them.
   */
  get endBytes(): number {
    return this.#endBytes
  }

  /** Bytes of the entries of the `length` waiting operations. */
  get bytes(): number {
    return this.#endBytes - this.#startBytes
  }

  /** Bytes of the memory that holds the operations. */
  get capacityBytes(): number {
    return this.#operations.byteLength
  }

  /** Makes room for one more operation. Throws memory_exhausted at oplogOperationsMax. */
  makeRoom(): void {
    const { length } = this.#operations
    if (2 * (this.#end - this.#base) < length) return
    if (this.length >= oplogOperationsMax) {
      throw new LatchkeyError(
        'memory_exhausted',
        `put: ${this.length} operations wait for a publish, which is the maximum. Publish more often`,
      )
    }
    const target = 4 * this.length > length ? new Int32Array(2 * length) : this.#operations
    target.set(this.#operations.subarray(2 * (this.#start - this.#base), 2 * (this.#end - this.#base)))
    this.#operations = target
    this.#base = this.#start
  }

  /** Appends an operation. Call makeRoom first. */
  append(hash: number, address: number, entryBytes: number): void {
    this.#endBytes += entryBytes
    const at = 2 * (this.#end++ - this.#base)
    this.#operations[at] = hash
    this.#operations[at + 1] = address
  }

  hashAt(operation: number): number {
    return this.#operations[2 * (operation - this.#base)]!
  }

  addressAt(operation: number): number {
    return this.#operations[2 * (operation - this.#base) + 1]!
  }

  /** Removes the operations below `end`. `endBytes` is the value that belongs to that `end`. */
  absorbed(end: number, endBytes: number): void {
    this.#start = end
    this.#startBytes = endBytes
    if (this.#start === this.#end) this.#base = this.#start
  }
}
