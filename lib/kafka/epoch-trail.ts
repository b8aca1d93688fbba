/**
 * Leader epochs of the records that were read of a partition. They show from which offset on the log differs from what
 * was read (KIP-320).
 */

export interface EpochEnd {
  /** The requested epoch, or the highest epoch below it that the log has. */
  epoch: number
  /** Offset after the last record of the epoch: the start of the next epoch, or the end of the log. */
  endOffset: number
}

/** Number of epochs kept, the newest ones. Older epochs are no longer distinguished. */
const epochsMax = 8

interface ReadEpoch {
  epoch: number
  start: number
  /** Offset from which on the records are of unknown epochs, up to the next epoch: another instance read them. */
  knownEnd?: number
}

export class EpochTrail {
  /** Epochs rise, oldest first. */
  #epochs: ReadEpoch[] = []

  /** Adds the epoch of a batch. @returns whether the epoch differs from that of the records before */
  note(epoch: number, baseOffset: number): boolean {
    const last = this.#epochs.at(-1)
    // Epochs rise in a log. If the last epoch comes again, the records between are of it, too: another would be higher.
    if (epoch === last?.epoch) delete last.knownEnd
    // A checksum does not cover the epoch, so a lower epoch means damage.
    if (epoch < 0 || (last !== undefined && epoch <= last.epoch)) return false
    this.#epochs.push({ epoch, start: baseOffset })
    if (this.#epochs.length > epochsMax) this.#epochs.shift()
    return last !== undefined
  }

  get last(): number | undefined {
    return this.#epochs.at(-1)?.epoch
  }

  /** Returns the highest stored epoch that is at most `limit`. */
  upTo(limit: number): number | undefined {
    return this.#epochs.findLast(({ epoch }) => epoch <= limit)?.epoch
  }

  /** Returns the epoch of the record before an offset; undefined if unknown. */
  epochBefore(offset: number): number | undefined {
    return this.#epochs.findLast(({ start }) => start < offset)?.epoch
  }

  /** Marks the epochs of the records from an offset on as unknown, until the next note(). */
  isUnknownFrom(offset: number): void {
    const last = this.#epochs.at(-1)
    if (last !== undefined) last.knownEnd = Math.min(last.knownEnd ?? offset, offset)
  }

  /** Returns the epochs before an offset as text for other instances, as far back as they are known without a gap. */
  textBefore(offset: number): string {
    const gap = this.#epochs.findLastIndex(({ knownEnd }) => knownEnd !== undefined && knownEnd < offset)
    const before = this.#epochs.slice(gap + 1).filter(({ start }) => start < offset)
    return before.map(({ epoch, start }) => `${epoch}@${start}`).join(',')
  }

  /** Parses a text of textBefore(). Ignores everything else. */
  static from(text: string | undefined): EpochTrail {
    const trail = new EpochTrail()
    for (const one of text?.split(',') ?? []) {
      const [, epoch, start] = /^(\d{1,9})@(\d{1,16})$/.exec(one) ?? []
      if (epoch !== undefined) trail.note(Number(epoch), Number(start))
    }
    return trail
  }

  /** Removes the epochs that begin at an offset or after it. */
  cut(offset: number): void {
    this.#epochs = this.#epochs.filter(({ start }) => start < offset)
    const last = this.#epochs.at(-1)
    if (last?.knownEnd !== undefined && last.knownEnd >= offset) delete last.knownEnd
  }

  /**
   * Returns the offset from which the log differs from what was read; undefined if the log still has all of it.
   * @param asked stored epoch that the broker was asked for
   * @param answer where that epoch ends in the present log
   * @param position offset up to which records were read
   */
  divergedAt(asked: number, answer: EpochEnd, position: number): number | undefined {
    // Lost: records of epochs that the log does not have, and records after the end of the epoch that it has.
    const limit = Math.min(answer.epoch, asked)
    const next = this.#epochs.find(({ epoch }) => epoch > limit)
    const end = next === undefined ? position : Math.min(next.start, position)
    const knownEnd = this.#epochs.findLast(({ epoch }) => epoch <= limit)?.knownEnd ?? end
    if (answer.endOffset < Math.min(knownEnd, end)) return answer.endOffset
    return answer.epoch < asked && end < position ? Math.min(answer.endOffset, end) : undefined
  }
}
