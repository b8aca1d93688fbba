/** Reads of more than one key in a group: of all partitions, whichever instance has them. */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { ChunkBounds, EntryCount, ManyLookups, WalkChunk, WalkPosition } from '../store-protocol/reads.ts'
import type { Lookup } from '../store-protocol/status.ts'
import { answerBytesMax, type LocalReads } from './answer-wide.ts'
import { missedOf } from './answer.ts'
import type { ForwardCounts } from './forwarded-lookup.ts'
import { GroupAsker, type PeerReads, type Routes } from './group-asker.ts'
import { countInGroup, flushGroup } from './group-count.ts'
import { GroupMany } from './group-many.ts'
import { GroupWalk } from './group-walk.ts'
import { keyNotFound } from './key-not-found.ts'
import { findFormer, findMisplaced } from './misplaced-keys.ts'

export class GroupReads {
  readonly asker: GroupAsker
  readonly #local: LocalReads
  readonly #routes: Routes
  readonly #many: GroupMany
  readonly #walk: GroupWalk

  constructor(local: LocalReads, routes: Routes, peers: PeerReads, counts?: ForwardCounts) {
    this.#local = local
    this.#routes = routes
    this.asker = new GroupAsker(local, routes, peers)
    this.#many = new GroupMany(this.asker, counts)
    this.#walk = new GroupWalk(this.asker)
  }

  /** All partitions. */
  get partitions(): readonly number[] {
    this.#requirePartitions()
    return Array.from({ length: this.#routes.partitionCount }, (_, partition) => partition)
  }

  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    const isHere = keys.every((key) => this.asker.isHere(this.#local.partitionOf(key)))
    if (!isHere || this.#routes.mayHaveStrangers) return this.#many.getMany(keys, bytesMax)
    const many = this.#local.getMany(keys, bytesMax)
    return many instanceof Promise
      ? many.then((read) => this.#ofOwn(keys, bytesMax, read))
      : this.#ofOwn(keys, bytesMax, many)
  }

  readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk> {
    return this.#isElsewhere(position) ? this.#walk.readChunk(position, bounds) : this.#readHere(position, bounds)
  }

  fetchChunk(position: WalkPosition, bounds: ChunkBounds): Promise<WalkChunk> | undefined {
    return this.#isElsewhere(position) ? this.#walk.readChunk(position, bounds) : undefined
  }

  async count(): Promise<EntryCount> {
    this.#requirePartitions()
    return countInGroup(this.asker)
  }

  async flush(): Promise<number> {
    this.#requirePartitions()
    return flushGroup(this.asker)
  }

  /**
   * Looks in all partitions for a key that its own partition does not have.
   * @throws LatchkeyError if not all of them have answered, as a rejection
   */
  async findMisplaced(key: Uint8Array): Promise<Lookup | undefined> {
    const [outcome] = await findMisplaced(this.asker, [key], answerBytesMax)
    if (isInstance(outcome, LatchkeyError)) throw outcome
    return outcome
  }

  /** Looks for a key where it was before the topic has grown, as long as its own partition is not read. */
  async findFormer(key: Uint8Array): Promise<Lookup | undefined> {
    return (await findFormer(this.asker, [key], answerBytesMax))[0]
  }

  /** @throws LatchkeyError what a lookup throws while the partitions are not known */
  #requirePartitions(): void {
    if (this.#routes.partitionCount > 0) return
    void this.#local.heldPartitions
    throw new LatchkeyError('recovering', `${this.asker.attempted}: its partitions are not known yet`)
  }

  /** A partition that does not exist is read here, for its error. */
  #isElsewhere(position: WalkPosition): boolean {
    return position.partition < this.#routes.partitionCount && !this.#walk.isHere(position)
  }

  #readHere(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk> {
    const ownChunk = (chunk: WalkChunk): WalkChunk => {
      const next = chunk.next && { ...chunk.next, mark: this.#local.walkMark }
      return { ...chunk, instance: this.#ownInstance, next }
    }
    try {
      const chunk = this.#local.readChunk(position, bounds)
      return chunk instanceof Promise ? chunk.then(ownChunk) : ownChunk(chunk)
    } catch (thrown) {
      // The partition has left since the decision.
      if (position.partition >= this.#routes.partitionCount) throw thrown
      return this.#walk.readChunk(position, bounds)
    }
  }

  #ofOwn(
    keys: readonly Uint8Array[],
    bytesMax: number,
    { epoch, results }: ManyLookups,
  ): ManyLookups | Promise<ManyLookups> {
    // A partition has left since the decision, or is not complete any more.
    if (results.some((result) => isInstance(result, LatchkeyError) && result.code !== 'answer_full')) {
      return this.#many.getMany(keys, bytesMax)
    }
    const all = results.map((result, index) => result ?? this.#missedHere(keys[index]!))
    return { epoch: 0, epochs: { [this.#ownInstance]: epoch }, results: all }
  }

  #missedHere(key: Uint8Array): LatchkeyError {
    const partition = this.#local.partitionOf(key)
    return keyNotFound(this.asker.attempted, missedOf(partition, this.#local.copies.of(partition)))
  }

  get #ownInstance(): string {
    return this.#routes.members.find(({ isSelf }) => isSelf)?.id ?? ''
  }
}
