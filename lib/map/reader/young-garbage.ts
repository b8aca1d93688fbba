/**
 * Collects the garbage of lookups early. The engine counts shared memory as heap of every thread that reaches it, and
 * lets garbage grow in proportion to the heap. With 250 MB of entries, tens of megabytes of dead answers accumulate.
 * They are in no cache when the next answer needs memory, and their pages go back to the system, which has to supply
 * them again. DESIGN.md has the figures.
 */
import { edenGC, fullGC } from 'bun:jsc'

/**
 * Bytes of garbage that start a collection. More than that does not fit into a near cache. A collection takes
 * about 0.3 ms.
 */
const youngBytesMax = 2 << 20
/** Approximate garbage of a lookup over HTTP, without its value. */
const lookupBytes = 1 << 10

// Each thread has its own heap and its own copy of this module.
let youngBytes = 0

/** Counts the garbage of a lookup. Call it after the lookup, while no reader is inside the map. */
export function noteLookup(valueBytes: number): void {
  noteGarbage(lookupBytes + valueBytes)
}

/** Counts the garbage of reading several keys, in the same way. */
export function noteGarbage(bytes: number): void {
  youngBytes += bytes
  if (youngBytes < youngBytesMax) return
  youngBytes = 0
  edenGC()
}

/** Bytes of older garbage that start a full collection, which takes about a millisecond. */
const oldBytesMax = 16 << 20

let oldBytes = 0

/**
 * Counts garbage that was kept over turns of the event loop: collections of young garbage do not free it any more. Bytes
 * that were counted as young are counted here again.
 */
export function noteKeptGarbage(bytes: number): void {
  oldBytes += bytes
  if (oldBytes < oldBytesMax) return
  oldBytes = 0
  fullGC()
}
