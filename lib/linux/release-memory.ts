/** Gives memory back to the system that is still addressed, which neither Bun nor Node does. */
import { ptr } from 'bun:ffi'
import { openLibc } from './libc.ts'

const madviseDontNeed = 4

const libc = openLibc({ madvise: { args: ['ptr', 'u64', 'i32'], returns: 'i32' } })

/**
 * Gives the pages of these bytes back. They read as zero afterwards, and are taken from the system again when they are
 * written. The bytes must begin at a page and end with one, and belong to a buffer that is not backed by a file.
 * @returns false on another system, or with another C library; then nothing has changed
 */
export function releaseMemory(bytes: Uint8Array): boolean {
  return libc?.madvise(ptr(bytes), bytes.byteLength, madviseDontNeed) === 0
}
