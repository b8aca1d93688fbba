/**
 * Reading more than one key: the interface that HTTP, RESP and the library share. Everything that one call returns
 * belongs to one epoch: all partitions held here, as one publish left them.
 */
import type { LatchkeyError } from '../errors.ts'
import type { Lookup } from './status.ts'

/** A found record with its key. Key and value are copies that belong to the caller. */
export interface KeyedLookup extends Lookup {
  key: Uint8Array
}

/** The results of looking up many keys, all of one epoch. */
export interface ManyLookups {
  /** Rises with each publish of this process; unique to the instant. Begins again with the process. */
  readonly epoch: number
  /**
   * For each key, in the order of the request: what was found; undefined if the store has no such key; or the reason
   * why that is not known here (partition_not_held, replica_recovering, rebuilding, recovering) or why it is left out
   * (answer_full).
   */
  readonly results: readonly (Lookup | LatchkeyError | undefined)[]
}

/** Place of a walk: entries are in order of partition, then of hash. Valid in this process only. */
export interface WalkPosition {
  readonly partition: number
  /** Unsigned 32 bits. */
  readonly hash: number
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
  readonly entries: readonly KeyedLookup[]
  /** Entries that were looked at, whether they are returned or not. */
  readonly examined: number
  /** Where the next chunk begins; undefined at the end of the partition. */
  readonly next: WalkPosition | undefined
}

/** Reads of a store that concern more than one key. Errors as for a lookup of one key; also as rejections. */
export interface StoreReads {
  /** Partitions that are held here, ascending: a walk visits them in this order. */
  readonly heldPartitions: readonly number[]
  /** Identifies this process: a walk cannot continue in another one. */
  readonly walkMark: string
  /** @param bytesMax values beyond it, after the first, are left out: answer_full */
  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups>
  /** @throws LatchkeyError partition_not_held; replica_recovering or rebuilding while the partition is not complete */
  readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk>
  /** Number of entries of all partitions held here, at one epoch. */
  count(): { epoch: number; count: number } | Promise<{ epoch: number; count: number }>
}
