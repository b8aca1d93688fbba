/** All bounds of the map. Sizes are in bytes, times in milliseconds, counts in the unit that the name says. */

const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte

/** An entry address counts units of 8 bytes. One store thread can address 2^32 of them. */
const addressUnitBytes = 8
export const addressSpaceBytes = 2 ** 32 * addressUnitBytes

export const segmentBytesDefault = 4 * mebibyte
export const segmentBytesMin = 4 * 1024
export const segmentBytesMax = 64 * mebibyte
export const slabBytesDefault = 32 * mebibyte
/** Bound for the open segments of all partitions together. With more partitions, segments are smaller. */
export const openSegmentsBytesMax = 512 * mebibyte

/** Maximum for header, key and value of one entry. */
export const entryBytesMax = gibibyte
/** An entry above this share of a segment counts as large. It can waste up to its own size at the end of a segment. */
export const largeEntryShare = 1 / 8
/** Bytes of segments that one live byte may occupy before the partition is cleaned. */
export const allowancePerByte = 1.5
export const allowancePerLargeByte = 3
/**
 * Factor of both while memory is short: 1.15 and 2.3. Cleaning needs up to 8/7 and 15/7, so it still frees memory with
 * every move.
 */
export const tightBoundScale = 1.15 / allowancePerByte
/**
 * Sealed segments that a partition may hold beyond its allowance. Without them small partitions would be cleaned
 * all the time.
 */
export const allowanceFloorSegments = 1
/** Live bytes that the cleaner moves between two publishes. Bounds the pause of the store thread. */
export const cleaningRoundBytes = 16 * mebibyte

/** 2^28 slots of 8 bytes: 2 GiB on each side, 188 million entries per partition. */
export const tableBitsMax = 28
export const tableBitsMin = 8
export const tableLoadMax = 0.7
/** Share of its maximum from which a table counts as about to double. */
export const tableNearlyFull = 7 / 8
/** The same for a table in bulk loading, which is reserved for the entries that are expected. */
export const bulkTableNearlyFull = 63 / 64
/** Extra capacity of the first tables, for keys that are distributed unevenly over the partitions. */
export const unevenShare = 1.1

/** Maximum of operations between two publishes, 8 bytes each. */
export const oplogOperationsMax = 16 * 1024 * 1024
/** Maximum of publish() calls in the queue. */
export const publishesWaitingMax = 1024

/** Scans of the epochs before the writer sleeps. A lookup takes about a microsecond. */
export const epochSpins = 200
/** Blocking sleeps after the scans: a millisecond in total, as long as a preempted thread may need. */
export const epochBlockingSleeps = 20
export const epochBlockingSleepMs = 0.05
export const epochAsyncSleepMs = 1
export const readersLeaveMaxMs = 60_000
export const confirmationMaxMs = 60_000

/** Bounds of a chunk: a reader stays inside for about so long. The writer waits that long at most. */
export const chunkSlotsMax = 8192
export const chunkBytesMax = mebibyte
export const chunkMaxMs = 1
/** Home slots that are read together. The bounds are checked between two such steps. */
export const chunkStepSlots = 256

export const readerWaitersMax = 1024
export const readerWaitMaxMs = 1000
export const readerThreadsMax = 64
/** 4096 in the pool, and 64 that callers keep. */
export const readersPerThreadMax = 4096 + 64
