/** Every bound of the map, in one place. Sizes in bytes, times in milliseconds, counts in what the name says. */

const mebibyte = 1024 * 1024
const gibibyte = 1024 * mebibyte

/** An entry address counts 8 bytes: 2^32 of them are what one store thread can address. */
const addressUnitBytes = 8
export const addressSpaceBytes = 2 ** 32 * addressUnitBytes

export const segmentBytesDefault = 4 * mebibyte
export const segmentBytesMin = 4 * 1024
export const segmentBytesMax = 64 * mebibyte
export const slabBytesDefault = 32 * mebibyte
/** The open segments of all partitions together; with more partitions than fit, segments are smaller. */
export const openSegmentsBytesMax = 512 * mebibyte

/** Header, key and value of one entry. */
export const entryBytesMax = gibibyte
/** An entry above this share of a segment counts as large: it can waste up to its own size at a segment's end. */
export const largeEntryShare = 1 / 8
/** Bytes of segments that one live byte may hold in use before the partition is cleaned. */
export const allowancePerByte = 1.5
export const allowancePerLargeByte = 3
/** Sealed segments that a partition may hold beyond its allowance; small partitions would be cleaned all the time without. */
export const allowanceFloorSegments = 1
/** Live bytes moved between two publishes of the cleaner: bounds the pause of the store thread. */
export const cleaningRoundBytes = 16 * mebibyte

/** 2^28 slots of 8 bytes: 2 GiB a side, 188 million entries a partition. */
export const tableBitsMax = 28
export const tableBitsMin = 8
export const tableLoadMax = 0.7
/** Room in the first tables for keys that are not spread evenly over the partitions. */
export const unevenShare = 1.1

/** Operations between two publishes. 8 bytes each. */
export const oplogOperationsMax = 16 * 1024 * 1024
/** publish() calls that may wait for one another. */
export const publishesWaitingMax = 1024

/** Scans of the epochs before the writer sleeps; a lookup takes about a microsecond. */
export const epochSpins = 200
/** Blocking sleeps after that: together a millisecond, as long as a thread without a core may need. */
export const epochBlockingSleeps = 20
export const epochBlockingSleepMs = 0.05
export const epochAsyncSleepMs = 1
export const readersLeaveMaxMs = 60_000
export const confirmationMaxMs = 60_000

export const readerWaitersMax = 1024
export const readerWaitMaxMs = 1000
export const readerThreadsMax = 64
/** 4096 in a pool, 64 that are lent for good. */
export const readersPerThreadMax = 4096 + 64
