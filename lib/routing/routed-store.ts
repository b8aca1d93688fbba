/**
 * A store in front of the one of this instance: what is not answered here is read at another instance of the group. It
 * stands at the reads, not at requests of HTTP, so HTTP, the Redis protocol and the library route by the same code, and
 * each instance renders what it answers. DESIGN.md has reasons.
 */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { ChunkBounds, ManyLookups, StoreReads, WalkChunk, WalkPosition } from '../store-protocol/reads.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { LocalReads } from './answer-wide.ts'
import { missedOf } from './answer.ts'
import type { GroupFeeds } from './feeds/group-feeds.ts'
import type { Forwarder } from './forward.ts'
import { type Answered, isForElsewhere, type LookupTarget } from './forwarded-lookup.ts'
import { GroupChanges } from './group-changes.ts'
import type { GroupReads } from './group-reads.ts'
import type { MissedKey } from './key-result.ts'
import type { LocalChanges } from './local-changes.ts'
import { answerHere, type RouteTable } from './route-table.ts'
import { isUnanswered } from './unanswered.ts'

/** What a store has that is routed. Types of what passes through unchanged are those of the store. */
export interface RoutableStore extends LocalReads {
  readonly presentation: { readonly formats: { readonly key: string } }
  readonly changes: LocalChanges
  readonly readers: unknown
  status(): unknown
  progress(): unknown
}

/** `none`: nothing is forwarded. Who asks gets the URL of the instance that answers. */
export type RoutingMode = 'proxy' | 'none'

export class RoutedStore<S extends RoutableStore> implements StoreReads {
  readonly #store: S
  readonly #table: RouteTable
  readonly #forwarder: Forwarder
  /** Absent with ROUTING=none: then nothing is read but what is here. */
  readonly #group: GroupReads | undefined
  readonly #changes: LocalChanges

  constructor(store: S, table: RouteTable, forwarder: Forwarder, group?: GroupReads, feeds?: GroupFeeds) {
    this.#store = store
    this.#table = table
    this.#forwarder = forwarder
    this.#group = group
    const isAlone = group === undefined || feeds === undefined
    this.#changes = isAlone ? store.changes : new GroupChanges(store.changes, group.asker, feeds)
  }

  get id(): string {
    return this.#store.id
  }

  get presentation(): S['presentation'] {
    return this.#store.presentation
  }

  get stats(): S['stats'] {
    return this.#store.stats
  }

  get readers(): S['readers'] {
    return this.#store.readers
  }

  get changes(): LocalChanges {
    return this.#changes
  }

  status(): ReturnType<S['status']> {
    return this.#store.status() as ReturnType<S['status']>
  }

  progress(): ReturnType<S['progress']> {
    return this.#store.progress() as ReturnType<S['progress']>
  }

  /**
   * Returns the latest published value of a key: at once if its partition is primary here.
   *
   * @param maxLag a copy that is farther behind is asked only if there is no other
   * @throws LatchkeyError key_not_found, whose details are those of the copy that has answered (caughtUp, halted, lag,
   *   instance); owner_unreachable, partition_unassigned, and with ROUTING=none partition_not_held; besides, what the
   *   store throws; also as a rejection
   */
  get(key: Uint8Array, maxLag?: number): Lookup | Promise<Lookup> {
    if (!this.#table.isAllHere) {
      const partition = this.#store.partitionOf(key)
      if (this.#table.decision[partition] !== answerHere) return this.#forward(key, partition, maxLag)
    }
    try {
      const found = this.#store.get(key, maxLag)
      if (found === undefined) return this.#lookAgain(key)
      return found instanceof Promise ? this.#foundLater(found, key, maxLag) : found
    } catch (thrown) {
      return this.#elsewhere(thrown, key, maxLag)
    }
  }

  get heldPartitions(): readonly number[] {
    return this.#group?.partitions ?? this.#store.heldPartitions
  }

  get walkMark(): string {
    return this.#store.walkMark
  }

  get readsGroup(): boolean {
    return this.#group !== undefined
  }

  /** With ROUTING=none walks and counts have what is held here. */
  get part(): StoreReads['part'] {
    if (this.#group !== undefined) return undefined
    const [held, all] = [this.#store.heldPartitions.length, this.#table.partitionCount]
    return held < all ? { held, all } : undefined
  }

  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    return (this.#group ?? this.#store).getMany(keys, bytesMax)
  }

  readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk> {
    return (this.#group ?? this.#store).readChunk(position, bounds)
  }

  fetchChunk(position: WalkPosition, bounds: ChunkBounds): Promise<WalkChunk> | undefined {
    return this.#group?.fetchChunk(position, bounds)
  }

  count(): ReturnType<StoreReads['count']> {
    return (this.#group ?? this.#store).count()
  }

  flush(): Promise<number> {
    return (this.#group ?? this.#store).flush()
  }

  async #foundLater(coming: Promise<Lookup | undefined>, key: Uint8Array, maxLag: number | undefined): Promise<Lookup> {
    try {
      return (await coming) ?? (await this.#lookAgain(key))
    } catch (thrown) {
      return this.#elsewhere(thrown, key, maxLag)
    }
  }

  /** Looks again for what is missing: the state of the copy is to be of before the look, which may have waited. */
  #lookAgain(key: Uint8Array): Lookup | Promise<Lookup> {
    const notFound = this.#missedHere(this.#store.partitionOf(key))
    const found = this.#store.get(key)
    const judged = (lookup: Lookup | undefined) => lookup ?? this.#missed(key, notFound)
    return found instanceof Promise ? found.then(judged) : judged(found)
  }

  /** The key is not in its partition. It may be in another one, if some keys are. */
  #missed(key: Uint8Array, notFound: LatchkeyError): Promise<Lookup> {
    if (this.#group === undefined || !this.#table.mayHaveStrangers) throw notFound
    return this.#group.findMisplaced(key).then((lookup) => {
      if (lookup === undefined) throw notFound
      return lookup
    })
  }

  /** The partition has left since the decision, or the store does not serve. */
  #elsewhere(thrown: unknown, key: Uint8Array, maxLag: number | undefined): Promise<Lookup> {
    if (this.#group === undefined || !(thrown instanceof LatchkeyError) || !isForElsewhere(thrown)) throw thrown
    return this.#ask(key, this.#store.partitionOf(key), maxLag)
  }

  #forward(key: Uint8Array, partition: number, maxLag: number | undefined): Lookup | Promise<Lookup> {
    if (this.#table.partitionCount === 0 || this.#group === undefined) return this.#onlyHere(key, partition, maxLag)
    return this.#ask(key, partition, maxLag)
  }

  async #ask(key: Uint8Array, partition: number, maxLag: number | undefined): Promise<Lookup> {
    const target = { key, partition, maxLag }
    // A bound of the lag needs what is in the partition itself.
    const isUnread = maxLag === undefined && this.#table.isUnread(partition)
    const asked = isUnread ? this.#askUnread(target) : this.#forwarder.get(target)
    const { lookup, missed, instance }: Answered = await asked
    if (lookup === undefined) return this.#missed(key, this.#notFound(missed!, instance))
    if (instance !== undefined) lookup.instance = instance
    return lookup
  }

  /** If the partition does not answer, the key may be where it was before the topic has grown. */
  async #askUnread(target: LookupTarget): Promise<Answered> {
    try {
      return await this.#forwarder.get({ ...target, isOnce: true })
    } catch (thrown) {
      if (!isInstance(thrown, LatchkeyError) || !isUnanswered(thrown)) throw thrown
      const lookup = await this.#group!.findFormer(target.key)
      return lookup === undefined ? this.#forwarder.get(target) : { lookup, instance: undefined }
    }
  }

  /** A ready copy answers, as a replica does without a group; else who asks gets the URL of the primary. */
  async #onlyHere(key: Uint8Array, partition: number, maxLag: number | undefined): Promise<Lookup> {
    const { role, isReady } = this.#store.copies.of(partition)
    if (this.#table.partitionCount > 0 && !(role === 1 && isReady)) throw this.#notHere(partition)
    return (await this.#store.get(key, maxLag)) ?? this.#lookAgain(key)
  }

  #notHere(partition: number): LatchkeyError {
    const owner = this.#table.primaryOf(partition)
    const begun = `Reading store ${this.id}: the key belongs to partition ${partition}`
    if (!this.#table.hasPlan) return new LatchkeyError('recovering', `${begun}, and the group has not assigned it yet`)
    if (owner === undefined || owner.isSelf) {
      const found = owner === undefined ? 'which no instance holds now' : 'which this instance is taking'
      return new LatchkeyError('partition_unassigned', `${begun}, ${found}`, { details: { partition } })
    }
    const message = `${begun}, which the instance at ${owner.url} has; ask it, or set ROUTING=proxy`
    return new LatchkeyError('partition_not_held', message, { details: { partition, owner: owner.url } })
  }

  #missedHere(partition: number): LatchkeyError {
    return this.#notFound(missedOf(partition, this.#store.copies.of(partition)), undefined)
  }

  #notFound({ caughtUp, isHalted, partition, lag }: MissedKey, instance: string | undefined): LatchkeyError {
    const { key } = this.presentation.formats
    const found = `Looking up the key: the store holds no record under it${key === 'raw' ? '' : `, read as ${key}`}`
    const yet = isHalted ? 'does not catch up with the source topic: it has halted' : notYet
    return new LatchkeyError('key_not_found', caughtUp ? found : `${found} yet; its partition ${yet}`, {
      details: {
        caughtUp,
        ...(isHalted && { halted: true }),
        ...(lag !== undefined && { partition, lag }),
        ...(instance !== undefined && { instance }),
      },
    })
  }
}

const notYet = 'has not caught up with the source topic, so ask again later'
