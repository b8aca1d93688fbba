/**
 * What the writer tells reader threads. New memory cannot be found through shared words, so it travels by message, and nothing
 * that points into it is published before every reader thread has confirmed.
 */

export type Side = 0 | 1

/** A slab: its segments are numbered from firstSegment on. */
export interface SlabMessage {
  readonly kind: 'slab'
  readonly version: number
  readonly firstSegment: number
  readonly buffer: SharedArrayBuffer
}

/** The index table of a partition on one side, which is unpublished while this message is under way. */
export interface TableMessage {
  readonly kind: 'table'
  readonly version: number
  readonly side: Side
  /** Place of the partition in ChiralMapShared.partitions. */
  readonly partitionIndex: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  /** 2^bits slots of 8 bytes. */
  readonly bits: number
}

export type MapMessage = SlabMessage | TableMessage

/** Structured-cloneable: all that a reader thread needs to begin with. Messages up to `version` are contained in it. */
export interface ChiralMapShared {
  readonly version: number
  /** The side word and the epochs: control.ts. */
  readonly control: SharedArrayBuffer
  readonly segmentBytes: number
  /** Key of the index hash: secret, never to be logged. */
  readonly seed: readonly [number, number]
  readonly partitions: readonly number[]
  readonly partitionCount: number
  readonly readersMax: number
  readonly readerThreads: number
  readonly messages: readonly MapMessage[]
}
