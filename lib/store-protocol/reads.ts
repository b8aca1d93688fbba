/**
 * Reading more than one key: the interface that HTTP, RESP and the library share. Everything that one call returns
 * belongs to one epoch: all partitions held here, as one publish left them. In a group it belongs to one epoch of each
 * instance that has read a part of it.
 */
import { isInstance, LatchkeyError } from '../errors.ts'
import type { Lookup } from './status.ts'

/** A found record with its key. Key and value are copies that belong to the caller. */
export interface KeyedLookup extends Lookup {
  key: Uint8Array
}

/** Only in a group: the epochs of those that have read, by the id of the instance. */
export type InstanceEpochs = Readonly<Record<string, number>>

/** The results of looking up many keys, all of one epoch. */
export interface ManyLookups {
  /** Rises with each publish of this process; unique to the instant. Begins again with the process. */
  readonly epoch: number
  /** Replaces `epoch`. */
  readonly epochs?: InstanceEpochs
  /**
   * For each key, in the order of the request: what was found; undefined if the store has no such key; or the reason
   * why that is not known here (partition_not_held, replica_recovering, rebuilding, recovering) or why it is left out
   * (answer_full). In a group a key that does not exist is the error key_not_found. Its details say what holds for the
   * copy that was read: `caughtUp`, and `lag` of a replica.
   */
  readonly results: readonly (Lookup | LatchkeyError | undefined)[]
}

/** Place of a walk: entries are in order of partition, then of hash. Valid in one process only. */
export interface WalkPosition {
  readonly partition: number
  /** Unsigned 32 bits. */
  readonly hash: number
  /** Mark of the process that the place is valid in, in a group, or what stands for one; absent for this one. */
  readonly mark?: string
}

export interface ChunkBounds {
  /** Entries to return at most, at least 1. Entries of equal hash may exceed it. */
  readonly limit: number
  /** Only keys that begin with these bytes. */
  readonly prefix?: Uint8Array
  /** False: the values are left out, and `value` is empty. */
  readonly withValues: boolean
}

/** A part of a walk, of one epoch: at most 8,192 slots and about 1 MiB, read within one enter of the map. */
export interface WalkChunk {
  readonly epoch: number
  /** Only in a group: id of the instance that has read it, and whose epoch it is. */
  readonly instance?: string
  /** The process of the position does not have the partition any more: this chunk begins the partition again. */
  readonly isRestart?: boolean
  readonly entries: readonly KeyedLookup[]
  /** Entries that were looked at, whether they are returned or not. */
  readonly examined: number
  /** Where the next chunk begins; undefined at the end of the partition. */
  readonly next: WalkPosition | undefined
}

/** Reads of a store that concern more than one key. Errors as for a lookup of one key; also as rejections. */
export interface StoreReads {
  /** Partitions that are held here, ascending: a walk visits them in this order. In a group: all partitions. */
  readonly heldPartitions: readonly number[]
  /** Identifies this process: a walk cannot continue in another one. */
  readonly walkMark: string
  /** Other instances of a group are read, too: positions may have the mark of another process. */
  readonly readsGroup?: boolean
  /**
   * Set where a group has more than what walks and counts have here: number of partitions held, and of all. Throws as
   * heldPartitions.
   */
  readonly part?: { readonly held: number; readonly all: number } | undefined
  /** @param bytesMax values beyond it, after the first, are left out: answer_full */
  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups>
  /** @throws LatchkeyError partition_not_held; replica_recovering or rebuilding while the partition is not complete */
  readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk>
  /**
   * Only in a group: reads a chunk of a partition that is not read here. Returns undefined for the others.
   *
   * @throws LatchkeyError as a rejection
   */
  fetchChunk?(position: WalkPosition, bounds: ChunkBounds): Promise<WalkChunk> | undefined
  /** Number of entries of all partitions held here, at one epoch. In a group: of all partitions. */
  count(): EntryCount | Promise<EntryCount>
}

export interface EntryCount {
  readonly epoch: number
  /** Replaces `epoch`. */
  readonly epochs?: InstanceEpochs
  readonly count: number
  /** Only if partitions were named: of each of them. */
  readonly counts?: readonly number[]
}

/** Returns the error for a key whose value is left out, since the values before it fill the answer. */
export function answerFull(storeId: string, bytesMax: number): LatchkeyError {
  const found = `the values of the keys before fill the answer of at most ${bytesMax} bytes. Request this key again`
  return new LatchkeyError('answer_full', `Reading store ${storeId}: ${found}`)
}

/** Whether a lookup has failed because the key does not exist: in a group that is an error. */
export function isKeyNotFound(thrown: unknown): boolean {
  return isInstance(thrown, LatchkeyError) && thrown.code === 'key_not_found'
}

/** Returns results in which keys that do not exist are undefined, whether read in a group or not. */
export function withoutNotFound({ epochs, results }: ManyLookups): ManyLookups['results'] {
  if (epochs === undefined) return results
  return results.map((result) => (isKeyNotFound(result) ? undefined : result))
}
