/**
 * How far copies are behind in what they show. A response moves a copy on in the map; readers see it with the next
 * publish, and so do the gauges: what was read after a pause would count as shown before.
 */
import type { Stats } from '../../store-protocol/stats.ts'
import { type KnownEnd, setEnd } from '../ends.ts'

interface NotedLag {
  position: number
  /** Undefined if no response has named the end since the last publish. */
  known: KnownEnd | undefined
}

export class VisibleLags {
  readonly #stats: Stats
  #noted = new Map<number, NotedLag>()
  #publishing = new Map<number, NotedLag>()

  constructor(stats: Stats) {
    this.#stats = stats
  }

  /** @param position changelog offset up to which a copy is in the map. @param known the end, if a response has named it */
  note(partition: number, position: number, known: KnownEnd | undefined): void {
    const noted = this.#noted.get(partition)
    if (noted === undefined) this.#noted.set(partition, { position, known })
    else {
      noted.position = position
      noted.known = known ?? noted.known
    }
  }

  /** A partition is not a copy any more, or begins again. */
  forget(partition: number): void {
    this.#noted.delete(partition)
    this.#publishing.delete(partition)
  }

  /** To be called when a publish begins. */
  began(): void {
    const [noted, published] = [this.#noted, this.#publishing]
    published.clear()
    this.#publishing = noted
    this.#noted = published
  }

  /** To be called when it has ended. */
  ended(): void {
    for (const [partition, { position, known }] of this.#publishing) {
      if (known !== undefined) setEnd(this.#stats, partition, known)
      this.#stats.setGauge(partition, 'position', position)
    }
    this.#publishing.clear()
  }
}
