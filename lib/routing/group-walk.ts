/**
 * Reads chunks of partitions wherever they are. The order within a partition depends on the process that has it, so a
 * walk continues in the process in which it has begun the partition, as long as that has a complete copy. Otherwise the
 * partition is begun again elsewhere, which the chunk says. Copies are asked one after the other: each chunk may be a
 * megabyte.
 */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { ChunkBounds, WalkChunk, WalkPosition } from '../store-protocol/reads.ts'
import { isMark } from '../store-protocol/walk-mark.ts'
import type { GroupAsker } from './group-asker.ts'
import { mayBeElsewhere, unansweredError } from './unanswered.ts'
import type { ChunkResult } from './wide-operations.ts'

export interface WalkTimes {
  /** Of one question. */
  readonly askMs: number
  /** For so long, all copies are asked again: a promotion or another plan may be under way. */
  readonly roundsMs: number
  readonly pauseMs: number
}

const timesDefault: WalkTimes = { askMs: 2_000, roundsMs: 2_000, pauseMs: 50 }
/** Processes whose members are remembered. */
const marksMax = 256

interface ReadChunk {
  readonly member: string
  readonly result: ChunkResult
}

export class GroupWalk {
  readonly #asker: GroupAsker
  readonly #times: WalkTimes
  /** Members by the marks that they have answered with. */
  readonly #members = new Map<string, string>()

  constructor(asker: GroupAsker, times = timesDefault) {
    this.#asker = asker
    this.#times = times
  }

  /** Whether a chunk is read here: its partition is, and its position is of this process. */
  isHere({ partition, hash, mark }: WalkPosition): boolean {
    if (!this.#asker.isHere(partition)) return false
    return hash === 0 || mark === undefined || isMark(mark, this.#asker.local.walkMark)
  }

  /** As StoreReads.readChunk, of any partition of the group. */
  async readChunk(position: WalkPosition, bounds: ChunkBounds): Promise<WalkChunk> {
    const continued = position.hash === 0 ? undefined : await this.#continue(position, bounds)
    const { member, result } = continued ?? (await this.#begin(position.partition, bounds))
    const { mark, chunk } = result
    this.#remember(mark, member)
    const isRestart = position.hash > 0 && continued === undefined
    const next = chunk.next && { ...chunk.next, mark }
    return { ...chunk, instance: this.#asker.instanceOf(member), isRestart, next }
  }

  /** @returns undefined if no copy is in the process of the position, or if that does not answer */
  async #continue(position: WalkPosition, bounds: ChunkBounds): Promise<ReadChunk | undefined> {
    const { local, routes } = this.#asker
    const { partition, mark = local.walkMark } = position
    const candidates = routes.candidates(partition)
    const known = this.#members.get(mark)
    const isKnown = known !== undefined && candidates.includes(known)
    for (const member of isKnown ? [known] : candidates) {
      const read = await this.#ask(member, { ...position, mark }, bounds)
      if (!isInstance(read, LatchkeyError)) return read
    }
    return undefined
  }

  async #begin(partition: number, bounds: ChunkBounds): Promise<ReadChunk> {
    const startedAt = performance.now()
    const { pauseMs, roundsMs } = this.#times
    for (;;) {
      const candidates = this.#asker.routes.candidates(partition)
      const said = new Map<string, string>()
      for (const member of candidates) {
        const read = await this.#ask(member, { partition, hash: 0 }, bounds)
        if (!isInstance(read, LatchkeyError)) return read
        said.set(member, read.message)
      }
      if (performance.now() - startedAt + pauseMs >= roundsMs) {
        throw unansweredError(this.#asker, { candidates, said, partition })
      }
      await Bun.sleep(pauseMs)
    }
  }

  /** @returns an error if another copy may answer */
  async #ask(member: string, position: WalkPosition, bounds: ChunkBounds): Promise<ReadChunk | LatchkeyError> {
    try {
      const operation = { type: 'chunk', position, bounds } as const
      const result = await this.#asker.ask(member, operation, this.#times.askMs)
      const { next } = result.chunk
      if (next === undefined || (next.partition === position.partition && next.hash > position.hash)) {
        return { member, result }
      }
      const found = `${this.#asker.nameOf(member)} has answered a chunk that does not advance`
      return new LatchkeyError('owner_unreachable', `${this.#asker.attempted}: ${found}`)
    } catch (thrown) {
      if (!isInstance(thrown, LatchkeyError)) throw thrown
      if (thrown.code === 'cursor_expired' || mayBeElsewhere(thrown)) return thrown
      throw thrown
    }
  }

  #remember(mark: string, member: string): void {
    this.#members.delete(mark)
    if (this.#members.size >= marksMax) this.#members.delete(this.#members.keys().next().value!)
    this.#members.set(mark, member)
  }
}
