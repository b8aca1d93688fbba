/** Settings for memory and for flushes, which make records visible. */
import { availableParallelism } from 'node:os'
import * as v from 'valibot'
import { memoryLimit } from '../../linux/memory-limit.ts'
import { changesBytesDefault, changesBytesMax, changesBytesMin } from '../../store-protocol/change-ring.ts'
import { threadsDefault, threadsMax } from '../threads.ts'
import { byteSize, decimalNumber, trueOrFalse, wholeNumber } from '../values.ts'

const capacityMax = 1_000_000_000
const secondsMin = 0.001
const secondsMax = 86_400
/** Operations that may wait for a flush. Each takes 8 bytes. */
const flushCountMax = 10_000_000
const readersMax = 4_096
const flushCountDefault = 1_000
const flushSecondsDefault = 1

const memoryMaxLeast = 256 * 2 ** 20
const memoryMaxMost = 16 * 2 ** 40

export const memoryDefinitions = {
  memoryMax: v.pipe(
    v.optional(byteSize(memoryMaxLeast, memoryMaxMost)),
    v.metadata({
      variable: 'MEMORY_MAX',
      meaning:
        'Memory that the process may take. At this bound the source is no longer read, and lookups continue; a store that does not fit does not start.',
      allowed: 'bytes from 256M to 16T, such as 2G or 2147483648',
      default: 'nine tenths of the limit of the control group, if it has one; else none',
    }),
  ),
  initialCapacity: v.pipe(
    v.optional(wholeNumber(0, capacityMax), '0'),
    v.metadata({
      variable: 'INITIAL_CAPACITY',
      meaning: 'Entries to reserve room for at start, so that recovery does not have to grow its tables.',
      allowed: `a whole number from 0 to ${capacityMax}`,
      default: '0',
    }),
  ),
  autoFlushCount: v.pipe(
    v.optional(wholeNumber(1, flushCountMax)),
    v.metadata({
      variable: 'AUTO_FLUSH_COUNT',
      meaning: 'Operations after which a flush makes them visible.',
      allowed: `a whole number from 1 to ${flushCountMax}`,
      default: String(flushCountDefault),
    }),
  ),
  autoFlushSeconds: v.pipe(
    v.optional(decimalNumber(secondsMin, secondsMax)),
    v.metadata({
      variable: 'AUTO_FLUSH_SECONDS',
      meaning: 'Seconds after which a flush makes operations visible.',
      allowed: `a number from ${secondsMin} to ${secondsMax}, such as 0.25`,
      default: String(flushSecondsDefault),
    }),
  ),
  autoFlushWhenIdle: v.pipe(
    v.optional(trueOrFalse()),
    v.metadata({
      variable: 'AUTO_FLUSH_WHEN_IDLE',
      meaning: 'Make records visible within milliseconds while few arrive.',
      allowed: 'true or false',
      default: 'true, unless AUTO_FLUSH_COUNT or AUTO_FLUSH_SECONDS is given',
      isSwitch: true,
    }),
  ),
  changesBytes: v.pipe(
    v.optional(wholeNumber(changesBytesMin, changesBytesMax), String(changesBytesDefault)),
    v.metadata({
      variable: 'CHANGES_BYTES',
      meaning: 'Memory for the keys that changed last, reserved when the first client waits for a key.',
      allowed: `a whole number from ${changesBytesMin} to ${changesBytesMax}`,
      default: String(changesBytesDefault),
    }),
  ),
  storeThreads: v.pipe(
    v.optional(wholeNumber(1, threadsMax), String(threadsDefault(availableParallelism()))),
    v.metadata({
      variable: 'STORE_THREADS',
      meaning: 'Threads that consume, write and recover, each with its share of the partitions.',
      allowed: `a whole number from 1 to ${threadsMax}`,
      default: 'one for every four cores',
    }),
  ),
  readerPoolSize: v.pipe(
    v.optional(wholeNumber(1, readersMax), '1000'),
    v.metadata({
      variable: 'READER_POOL_SIZE',
      meaning: 'Lookups that may read at the same time.',
      allowed: `a whole number from 1 to ${readersMax}`,
      default: '1000',
    }),
  ),
}

interface FlushSettings {
  autoFlushCount?: number | undefined
  autoFlushSeconds?: number | undefined
  autoFlushWhenIdle?: boolean | undefined
}

/**
 * Fills in the defaults. If AUTO_FLUSH_COUNT or AUTO_FLUSH_SECONDS is given, records do not become visible sooner than
 * it says, unless AUTO_FLUSH_WHEN_IDLE is given, too.
 */
export function flushSettings({ autoFlushCount, autoFlushSeconds, autoFlushWhenIdle }: FlushSettings) {
  return {
    autoFlushCount: autoFlushCount ?? flushCountDefault,
    autoFlushSeconds: autoFlushSeconds ?? flushSecondsDefault,
    autoFlushWhenIdle: autoFlushWhenIdle ?? (autoFlushCount === undefined && autoFlushSeconds === undefined),
  }
}

/** Fills in the default. */
export function memorySettings({ memoryMax }: { memoryMax?: number | undefined }, limit = memoryLimit()) {
  const most = memoryMax ?? (limit === undefined ? undefined : Math.floor(limit * 0.9))
  return most === undefined ? {} : { memoryMax: most }
}
