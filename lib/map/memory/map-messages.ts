/**
 * Messages from the writer to reader threads. Readers cannot find new memory through shared words, so it travels by
 * message. The writer publishes nothing that points into new memory before every reader thread has confirmed it.
 */

export type Side = 0 | 1

/** A new slab. Its segments have the numbers from firstSegment on. */
export interface SlabMessage {
  readonly kind: 'slab'
  readonly version: number
  readonly firstSegment: number
  readonly buffer: SharedArrayBuffer
}

/** A new index table of a partition on one side. That side is unpublished until readers have confirmed this message. */
export interface TableMessage {
  readonly kind: 'table'
  readonly version: number
  readonly side: Side
  /** Index of the partition in ChiralMapShared.partitions. */
  readonly partitionIndex: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  /** The table has 2^bits slots of 8 bytes. */
  readonly bits: number
}

/**
 * A partition has no table on one side any more. That side is unpublished until readers have confirmed this message. The
 * memory of the table is used again afterwards.
 */
export interface GoneMessage {
  readonly kind: 'gone'
  readonly version: number
  readonly side: Side
  /** Index of the partition in ChiralMapShared.partitions. */
  readonly partitionIndex: number
}

export type MapMessage = SlabMessage | TableMessage | GoneMessage

/** Initial state for a reader thread, structured-cloneable. Contains all messages up to `version`. */
export interface ChiralMapShared {
  readonly version: number
  /** Identifies the map: walk positions of another one do not apply to it. */
  readonly mark: string
  /** The number of exchanges and the epochs, see control.ts. */
  readonly control: SharedArrayBuffer
  /** What each side shows, see side-figures.ts. */
  readonly figures: SharedArrayBuffer
  readonly segmentBytes: number
  /** Key of the index hash. Secret: never log it. */
  readonly seed: readonly [number, number]
  readonly partitions: readonly number[]
  readonly partitionCount: number
  readonly readersMax: number
  readonly readerThreads: number
  readonly messages: readonly MapMessage[]
}
