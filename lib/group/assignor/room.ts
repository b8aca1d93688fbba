/** Memory of members while a plan is made: what the copies planned so far take of it. */
import type { Standing } from './standing.ts'

export class Room {
  readonly #standing: Standing
  readonly #used: Float64Array
  readonly #counts: Int32Array

  constructor(standing: Standing) {
    this.#standing = standing
    this.#used = new Float64Array(standing.members.length)
    this.#counts = new Int32Array(standing.members.length)
  }

  fits(member: number, partition: number): boolean {
    const bytes = this.#standing.bytes(member, partition)
    return this.#used[member]! + bytes <= this.#standing.roomBytes(member, partition)
  }

  /** Number of copies planned for a member. */
  count(member: number): number {
    return this.#counts[member]!
  }

  take(member: number, partition: number): void {
    this.#used[member]! += this.#standing.bytes(member, partition)
    this.#counts[member]!++
  }

  release(member: number, partition: number): void {
    this.#used[member]! -= this.#standing.bytes(member, partition)
    this.#counts[member]!--
  }
}
