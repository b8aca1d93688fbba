/**
 * Collects the garbage of lookups while it is young. The engine counts shared memory as part of the heap of every thread that reaches it, and lets
 * garbage grow in proportion to the heap: beside 250 MB of entries tens of megabytes of dead answers pile up, none of which is in a cache when the
 * next answer needs room, and whose pages go back to the system and are asked for again. Figures are in DESIGN.md.
 */
import { edenGC } from 'bun:jsc'

/** More than that is in no near cache any more; a collection takes some 0.3 ms. */
const youngBytesMax = 2 << 20
/** About what a lookup over HTTP leaves beside its value. */
const lookupBytes = 1 << 10

// A thread has a heap of its own, and its own copy of this module.
let youngBytes = 0

/** To be called after a lookup, while no reader is inside the map. */
export function noteLookup(valueBytes: number): void {
  youngBytes += lookupBytes + valueBytes
  if (youngBytes < youngBytesMax) return
  youngBytes = 0
  edenGC()
}
