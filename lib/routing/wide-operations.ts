/** What instances ask each other besides single lookups, and what they answer. */
import type { ChunkBounds, WalkChunk, WalkPosition } from '../store-protocol/reads.ts'
import type { KeyResult } from './key-result.ts'

export interface ManyOperation {
  type: 'many'
  keys: readonly Uint8Array[]
  /** Values beyond it, after the first, are left out: answer_full. */
  bytesMax: number
  /**
   * Partitions to search for keys that may be where the partitioner does not put them. A miss then says that none of
   * these has the key, and its `partition` means nothing. All of them have to be primary at who answers, so that no
   * partition that moves meanwhile is left out. Absent for keys where the partitioner puts them.
   */
  searched?: readonly number[]
}

/** Reads a chunk. Its position has the mark of the process that it is valid in, unless it is at a partition's start. */
export interface ChunkOperation {
  type: 'chunk'
  position: WalkPosition
  bounds: ChunkBounds
}

export interface CountOperation {
  type: 'count'
  partitions: readonly number[]
}

export interface FlushOperation {
  type: 'flush'
}

/** Asks how far partitions are visible, for those who wait for a record or for a change. */
export interface VisibleOperation {
  type: 'visible'
  partitions: readonly number[]
}

export type WideOperation = ManyOperation | ChunkOperation | CountOperation | FlushOperation | VisibleOperation

/** All of one epoch. */
export interface ManyResult {
  type: 'many'
  epoch: number
  /** In the order of the keys. */
  results: readonly KeyResult[]
}

export interface ChunkResult {
  type: 'chunk'
  /** Of the process that has read it. */
  mark: string
  chunk: WalkChunk
}

/** All of one epoch. */
export interface CountResult {
  type: 'count'
  epoch: number
  /** In the order of the partitions. */
  counts: readonly number[]
}

export interface FlushResult {
  type: 'flush'
  /** Number of operations made visible. */
  operations: number
}

export interface VisibleResult {
  type: 'visible'
  /** Each publish changes it. */
  epoch: number
  /** Next source offsets that are not visible, in the order of the partitions; -1 where that is not known. */
  positions: readonly number[]
  /** Next changelog offsets, visible or not yet, in the same order; -1 where that is not known. */
  written: readonly number[]
}

export type WideResult = ManyResult | ChunkResult | CountResult | FlushResult | VisibleResult
