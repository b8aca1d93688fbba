/** Readers of several maps at the same time, one of the pool of each. */
import type { Reader } from '../map/index.ts'

export interface ReaderPool {
  acquire(): Reader | Promise<Reader>
  release(reader: Reader): void
}

/**
 * Returns what `read` returns with a reader of each pool: at once if all have one free, else in a promise. Releases the
 * readers. Every caller takes the pools in the same order, so two of them never wait for each other. Rejects as
 * acquire().
 */
export function withReaders<T>(pools: readonly ReaderPool[], read: (readers: readonly Reader[]) => T): T | Promise<T> {
  const readers: Reader[] = []
  for (const pool of pools) {
    const reader = pool.acquire()
    if (reader instanceof Promise) return afterWaiting(pools, readers, reader, read)
    readers.push(reader)
  }
  try {
    return read(readers)
  } finally {
    releaseAll(pools, readers)
  }
}

/** @param readers those of the first pools, acquired so far */
async function afterWaiting<T>(
  pools: readonly ReaderPool[],
  readers: Reader[],
  next: Promise<Reader>,
  read: (readers: readonly Reader[]) => T,
): Promise<T> {
  try {
    readers.push(await next)
    for (const pool of pools.slice(readers.length)) readers.push(await pool.acquire())
    return read(readers)
  } finally {
    releaseAll(pools, readers)
  }
}

function releaseAll(pools: readonly ReaderPool[], readers: readonly Reader[]): void {
  for (const [index, reader] of readers.entries()) pools[index]!.release(reader)
}
