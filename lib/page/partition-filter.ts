/** The partitions that are shown, and those that a filter finds beyond the ones that an event has. */
import type { ShownPartition, StatusEvent } from '../http/status-events/status-event.ts'
import type { PartitionStatus } from '../store-protocol/status.ts'
import { Part } from './part.ts'

const firstRows = 12
const moreRows = 100

export class PartitionFilter extends Part {
  text = ''
  rowsMax = firstRows
  /** All partitions, asked for once a filter needs them. */
  #all: readonly ShownPartition[] | undefined
  #isAsking = false

  set(text: string): void {
    this.text = text
    this.#all = undefined
    this.draw()
  }

  more(): void {
    this.rowsMax += moreRows
    this.draw()
  }

  /** Returns those that fit the filter. */
  of({ partitions, partitionsOmitted }: StatusEvent): readonly ShownPartition[] {
    const needsAll = this.text.trim() !== '' && partitionsOmitted > 0
    if (needsAll) void this.#ask()
    return filtered((needsAll && this.#all) || partitions, this.text)
  }

  /** Events come once a second, and each of them asks, so these figures are as new as the others. */
  async #ask(): Promise<void> {
    if (this.#isAsking) return
    this.#isAsking = true
    try {
      const response = await this.api.get(this.api.pathOf('status-store'), AbortSignal.timeout(5_000))
      const { details } = (await response.json()) as { details: PartitionStatus[] }
      this.#all = details.map((status) => {
        return { ...status, deadBytes: status.totalBytes - status.liveBytes, snapshotAgeSeconds: null }
      })
      this.draw()
    } catch {
      // The stream of events shows that there is no connection.
    }
    this.#isAsking = false
  }
}

/** @param filter numbers and ranges such as `3, 10-19`, or a part of a state or role */
export function filtered(partitions: readonly ShownPartition[], filter: string): readonly ShownPartition[] {
  const words = filter.toLowerCase().match(/[^\s,]+/g)
  return words === null ? partitions : partitions.filter((partition) => words.some((word) => fits(partition, word)))
}

function fits({ partition, state, role }: ShownPartition, word: string): boolean {
  const [first, last = first] = word.split('-')
  if (Number.isNaN(Number(first))) return state.includes(word) || role.includes(word)
  return partition >= Number(first) && partition <= Number(last || Infinity)
}
