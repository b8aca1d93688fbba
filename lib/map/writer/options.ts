/** What a chiral map is made with, checked, and the sizes that follow from it. */
import { LatchkeyError } from '../../errors.ts'
import { tableBitsFor } from './index-table.ts'
import * as limits from '../memory/limits.ts'
import type { MapMessage } from '../memory/messages.ts'

export interface ChiralMapOptions {
  /** Numbers of the partitions held here. */
  readonly partitions: readonly number[]
  /** Partitions of the topic: tells which one a key hashes to. */
  readonly partitionCount: number
  /** Entries, over all partitions, that the index tables take without growing. */
  readonly initialCapacity: number
  /** Readers of one reader thread that may be inside at a time. */
  readonly readersMax: number
  readonly readerThreads: number
  /** Called for each message, which must reach every reader thread in this order. */
  readonly announce: (message: MapMessage) => void
  /** A power of two. Default 4 MiB, less for very many partitions. */
  readonly segmentBytes?: number
  readonly slabBytes?: number
  /** Most shared memory the map takes, without small tables. Default: the address space, 32 GiB. */
  readonly bytesMax?: number
}

/** Throws LatchkeyError invalid_settings naming every option that does not fit. */
export function checkOptions(options: ChiralMapOptions): void {
  const { partitions, partitionCount, initialCapacity, readersMax, readerThreads, segmentBytes } = options
  const faults: string[] = []
  if (!within(partitionCount, 1, 2 ** 20)) faults.push(`partitionCount is ${partitionCount}`)
  if (!partitions.every((id) => within(id, 0, partitionCount - 1)))
    faults.push(`partitions are ${partitions.join(', ')}`)
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

/** Bits of each partition's first table: its share of the capacity, and some for keys that are spread unevenly. */
export function firstTableBits(options: ChiralMapOptions): number {
  const count = options.partitions.length
  const share = Math.ceil(options.initialCapacity / Math.max(1, count))
  const room = count > 1 ? share * limits.unevenShare : share
  return Math.min(limits.tableBitsMax, Math.max(limits.tableBitsMin, tableBitsFor(room)))
}
