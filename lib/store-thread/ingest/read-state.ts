/** Whether the source of a partition is read, and what prevents it. */

/** Where a partition halted, and why. */
export interface Halt {
  /** Offset of the source record that cannot be stored. */
  offset: number
  /** May quote the record. */
  fault: string
  /** The same without anything that the record contains. */
  what: string
}

export class ReadState {
  #isFollowed = false
  #isPaused = false
  #halt: Halt | undefined
  #waiting: Promise<void> | undefined

  get mayRead(): boolean {
    return this.#isFollowed && !this.#isPaused && this.isReady
  }

  /** Whether the partition neither halted at a record nor waits at one. */
  get isReady(): boolean {
    return this.#halt === undefined && this.#waiting === undefined
  }

  /** The record at which the partition halted, and the cause. Nothing from there on is consumed. */
  get halted(): Halt | undefined {
    return this.#halt
  }

  /** Set while the partition waits at a record; resolves when to continue with that record. */
  get waiting(): Promise<void> | undefined {
    return this.#waiting
  }

  /** Sets whether the source is to be read, unless something else prevents it. */
  follow(isFollowed: boolean): void {
    this.#isFollowed = isFollowed
  }

  /** Sets whether the changelog acknowledges nothing and the partition's share of the backlog is used up. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused
  }

  halt(offset: number, fault: string, what = fault): void {
    this.#halt = { offset, fault, what }
  }

  /** Stops at the next record. Call proceed() when `ready` resolves. */
  waitFor(ready: Promise<void>): void {
    this.#waiting = ready
  }

  proceed(): void {
    this.#waiting = undefined
  }
}
