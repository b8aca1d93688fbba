/**
 * Dead-letter batches of one partition that are not acknowledged. While there are any, nothing of the partition is
 * written to the changelog or counts as acknowledged.
 */
export class DeadLetterHold {
  #count = 0
  #bytes = 0

  get count(): number {
    return this.#count
  }

  /** Encoded bytes of these batches. */
  get bytes(): number {
    return this.#bytes
  }

  /** Notes a batch. @param bytes 0 if it is not encoded yet */
  add(bytes: number): void {
    this.#count++
    this.#bytes += bytes
  }

  /** Notes bytes added to the last batch. */
  grow(bytes: number): void {
    this.#bytes += bytes
  }

  /** Notes that a batch was acknowledged or replaced. @returns whether it was the last */
  remove(bytes: number): boolean {
    this.#count--
    this.#bytes -= bytes
    return this.#count === 0
  }
}
