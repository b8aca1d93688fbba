/** Counts in memory that threads share: each thread writes its own, and any thread adds up those of all. */
export class ThreadCounts {
  protected readonly all: readonly Float64Array[]
  protected readonly own: Float64Array

  /**
   * @param all counts of each thread
   * @param own index of this thread's
   */
  constructor(all: readonly Float64Array[], own: number) {
    this.all = all
    this.own = all[own]!
  }

  protected sum(index: number): number {
    return this.all.reduce((sum, thread) => sum + thread[index]!, 0)
  }
}
