/** Leader epochs of what was read of a partition, by which the place is found where the log is not any more what was read (KIP-320). */

export interface EpochEnd {
  /** The epoch that was asked for, or the highest one below it that the log has. */
  epoch: number
  /** Offset after its last record: where the next epoch begins, or the log ends. */
  endOffset: number
}

/** Further back nothing is told apart any more: of so many elections a reader has seen the log of. */
const epochsMax = 8

interface ReadEpoch {
  epoch: number
  start: number
  /** From here to where the next begins another instance has read, and did not say in which epochs. */
  knownEnd?: number
}

export class EpochTrail {
  /** Rising, oldest first. */
  #epochs: ReadEpoch[] = []

  /** @returns whether what begins here was appended in another epoch than what was read before */
  note(epoch: number, baseOffset: number): boolean {
    const last = this.#epochs.at(-1)
    // Epochs rise in a log: what was read since in another epoch would be followed by a higher one.
    if (epoch === last?.epoch) delete last.knownEnd
    // A checksum does not cover the epoch: one that falls is damage.
    if (epoch < 0 || (last !== undefined && epoch <= last.epoch)) return false
    this.#epochs.push({ epoch, start: baseOffset })
    if (this.#epochs.length > epochsMax) this.#epochs.shift()
    return last !== undefined
  }

  get last(): number | undefined {
    return this.#epochs.at(-1)?.epoch
  }

  /** The highest one that is not above another. */
  upTo(limit: number): number | undefined {
    return this.#epochs.findLast(({ epoch }) => epoch <= limit)?.epoch
  }

  /** Of the record before an offset; undefined where it is not known. */
  epochBefore(offset: number): number | undefined {
    return this.#epochs.findLast(({ start }) => start < offset)?.epoch
  }

  /** What was read from an offset on is of epochs that are not known, until one is noted. */
  isUnknownFrom(offset: number): void {
    const last = this.#epochs.at(-1)
    if (last !== undefined) last.knownEnd = Math.min(last.knownEnd ?? offset, offset)
  }

  /** As another instance may read it: what lies before an offset, as far back as it is known without a gap. */
  textBefore(offset: number): string {
    const gap = this.#epochs.findLastIndex(({ knownEnd }) => knownEnd !== undefined && knownEnd < offset)
    const before = this.#epochs.slice(gap + 1).filter(({ start }) => start < offset)
    return before.map(({ epoch, start }) => `${epoch}@${start}`).join(',')
  }

  /** Of what textBefore() gave; nothing where it is something else. */
  static from(text: string | undefined): EpochTrail {
    const trail = new EpochTrail()
    for (const one of text?.split(',') ?? []) {
      const [, epoch, start] = /^(\d{1,9})@(\d{1,16})$/.exec(one) ?? []
      if (epoch !== undefined) trail.note(Number(epoch), Number(start))
    }
    return trail
  }

  /** From an offset on nothing counts as read any more. */
  cut(offset: number): void {
    this.#epochs = this.#epochs.filter(({ start }) => start < offset)
    const last = this.#epochs.at(-1)
    if (last?.knownEnd !== undefined && last.knownEnd >= offset) delete last.knownEnd
  }

  /**
   * Where the log has become another one than was read; undefined where all that was read is still there.
   * @param asked the epoch that the broker was asked for, one of those noted
   * @param answer where that ends in the log as it is now
   * @param position up to where was read
   */
  divergedAt(asked: number, answer: EpochEnd, position: number): number | undefined {
    // What was appended in epochs that the log does not have, or behind the end of the one that it has.
    const limit = Math.min(answer.epoch, asked)
    const next = this.#epochs.find(({ epoch }) => epoch > limit)
    const end = next === undefined ? position : Math.min(next.start, position)
    const knownEnd = this.#epochs.findLast(({ epoch }) => epoch <= limit)?.knownEnd ?? end
    if (answer.endOffset < Math.min(knownEnd, end)) return answer.endOffset
    return answer.epoch < asked && end < position ? Math.min(answer.endOffset, end) : undefined
  }
}
