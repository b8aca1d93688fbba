/** The options of a chiral map, their checks, and the sizes that follow from them. */
import { LatchkeyError } from '../../errors.ts'
import * as limits from '../memory/limits.ts'
import type { MapMessage } from '../memory/map-messages.ts'
import { tableBitsFor } from './index-table.ts'

export interface ChiralMapOptions {
  /** Numbers of the partitions that this map has room for in its layout. */
  readonly partitions: readonly number[]
  /** Those of them that it holds from the start. Default: all. */
  readonly held?: readonly number[]
  /** Partitions of the topic. Determines the partition that a key hashes to. */
  readonly partitionCount: number
  /** Entries, over all partitions, that the index tables hold without growing. */
  readonly initialCapacity: number
  /** Readers per reader thread that may be inside at the same time. */
  readonly readersMax: number
  readonly readerThreads: number
  /** Sends a message, which must reach every reader thread in this order. */
  readonly announce: (message: MapMessage) => void
  /** Key of the index hash. Default: random. A map that restores a snapshot needs the key that the snapshot has. */
  readonly seed?: readonly [number, number]
  /** A power of two. Default: 4 MiB, less with very many partitions. */
  readonly segmentBytes?: number
  readonly slabBytes?: number
  /** Maximum of shared memory, not counting small tables. Default: the address space, 32 GiB. */
  readonly bytesMax?: number
}

/** Throws LatchkeyError invalid_settings that names every invalid option. */
export function checkOptions(options: ChiralMapOptions): void {
  const { partitions, partitionCount, initialCapacity, readersMax, readerThreads, segmentBytes, held = [] } = options
  const faults: string[] = []
  if (!within(partitionCount, 1, 2 ** 20)) faults.push(`partitionCount is ${partitionCount}`)
  if (!partitions.every((id) => within(id, 0, partitionCount - 1))) {
    faults.push(`partitions are ${partitions.join(', ')}`)
  }
  const strange = held.filter((id) => !partitions.includes(id))
  if (strange.length > 0) faults.push(`held partitions are not among the partitions: ${strange.join(', ')}`)
  if (new Set(held).size !== held.length) faults.push('held partitions repeat')
  if (new Set(partitions).size !== partitions.length) faults.push('partitions repeat')
  if (!within(initialCapacity, 0, 2 ** 32)) faults.push(`initialCapacity is ${initialCapacity}`)
  if (!within(readersMax, 1, limits.readersPerThreadMax)) faults.push(`readersMax is ${readersMax}`)
  if (!within(readerThreads, 1, limits.readerThreadsMax)) faults.push(`readerThreads is ${readerThreads}`)
  if (segmentBytes !== undefined) {
    const fits = within(segmentBytes, limits.segmentBytesMin, limits.segmentBytesMax)
    if (!fits || (segmentBytes & (segmentBytes - 1)) !== 0) faults.push(`segmentBytes is ${segmentBytes}`)
  }
  if (faults.length > 0) throw new LatchkeyError('invalid_settings', `create a chiral map: ${faults.join('; ')}`)
}

function within(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

export function segmentBytesFor(options: ChiralMapOptions): number {
  if (options.segmentBytes !== undefined) return options.segmentBytes
  let bytes = limits.segmentBytesDefault
  while (bytes * options.partitions.length > limits.openSegmentsBytesMax && bytes > limits.segmentBytesMin) bytes /= 2
  return bytes
}

/**
 * Returns the bits of each partition's first table: its share of the capacity, plus a reserve for uneven distribution.
 */
export function firstTableBits(options: ChiralMapOptions): number {
  const count = (options.held ?? options.partitions).length
  const share = Math.ceil(options.initialCapacity / Math.max(1, count))
  const room = count > 1 ? share * limits.unevenShare : share
  return Math.min(limits.tableBitsMax, Math.max(limits.tableBitsMin, tableBitsFor(room)))
}
