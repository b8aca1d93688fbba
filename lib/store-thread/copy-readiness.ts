/**
 * Whether a copy is so close to the end of the changelog that its partition may move to it. A copy that is ready stays ready
 * much longer than it takes to become so: load must not move partitions.
 */

const readyRecords = 1_000
const readyMs = 1_000
const unreadyRecords = 100_000
const unreadyMs = 30_000

export class CopyReadiness {
  #isReady = false
  /** An end of the changelog that is not reached yet, and when it was seen. */
  #aim = -1
  #aimedAt = Number.NEGATIVE_INFINITY

  /**
   * @param position next offset to read
   * @param end last known end of the changelog
   * @param now in milliseconds
   */
  look(position: number, end: number, now: number): boolean {
    const records = end - position
    const ms = now - this.#aimedAt
    const isReached = position >= this.#aim
    if (isReached) {
      this.#aim = end
      this.#aimedAt = now
    }
    if (records <= readyRecords || (isReached && ms <= readyMs)) this.#isReady = true
    else if (!isReached && (ms > unreadyMs || (ms > readyMs && records > unreadyRecords))) this.#isReady = false
    return this.#isReady
  }
}
