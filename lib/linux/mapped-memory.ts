/**
 * Shows files in memory that the engine has allocated, copy-on-write (mmap(2)). All threads see it, since the addresses stay
 * the same. Bun has no API for it: Bun.mmap makes memory of its own, and not for several threads.
 */
import { ptr } from 'bun:ffi'
import { openLibc } from './libc.ts'

const [protectRead, protectWrite] = [1, 2]
const [mapPrivate, mapFixed, mapAnonymous] = [0x02, 0x10, 0x20]
const [remapMayMove, remapFixed] = [1, 2]
const populateRead = 22
const pageSizeName = 30
const anyAddress = 0n
const noFile = -1
/** Addresses above are errors. */
const addressEnd = 2n ** 63n

/** Undefined without glibc. */
const libc = openLibc({
  sysconf: { args: ['i32'], returns: 'i64' },
  mmap: { args: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'u64' },
  mremap: { args: ['u64', 'u64', 'u64', 'i32', 'u64'], returns: 'u64' },
  madvise: { args: ['u64', 'u64', 'i32'], returns: 'i32' },
  munmap: { args: ['u64', 'u64'], returns: 'i32' },
  memcpy: { args: ['u64', 'u64', 'u64'], returns: 'u64' },
})
const pageBytes = libc === undefined ? undefined : Number(libc.sysconf(pageSizeName))
let populates: boolean | undefined

/**
 * Shows a part of a file in place of memory of at least a page, until own() or reset(). What is written to the memory does
 * not reach the file. The last page is replaced whole. The file may not be changed or shortened meanwhile: beyond its end
 * an access ends the process (SIGBUS).
 *
 * The memory must not be freed meanwhile. The engine takes freed memory for zeros, and it would show the file.
 * To be called before anything reads it: readShown().
 * @returns false if the system cannot do this, and nothing has changed
 */
export function showFile(memory: Uint8Array, descriptor: number, position: number): boolean {
  const pages = pagesOf(memory)
  if (libc === undefined || pages === undefined || position % pageBytes! !== 0 || !canPopulate()) return false
  const { address, length } = pages
  const flags = mapPrivate | mapFixed
  return libc.mmap(address, length, protectRead | protectWrite, flags, descriptor, BigInt(position)) === address
}

/**
 * Reads all of what memory shows, so that a fault of the disk is noticed here, and does not end the process at the first access.
 * In any thread.
 * @returns false if it cannot be read; then nothing may read the memory before reset()
 */
export function readShown(memory: Uint8Array): boolean {
  const pages = pagesOf(memory)
  if (libc === undefined || pages === undefined) return false
  return libc.madvise(pages.address, pages.length, populateRead) === 0
}

/**
 * Makes memory that shows a file independent of it, with the same content. Other threads may read meanwhile, but not write.
 * @returns false if the system refuses, and nothing has changed
 */
export function own(memory: Uint8Array): boolean {
  const pages = pagesOf(memory)
  if (libc === undefined || pages === undefined) return false
  const { address, length } = pages
  // What cannot be read would end the process.
  if (!readShown(memory)) return false
  const copy = anonymous(anyAddress, length, mapPrivate | mapAnonymous)
  if (copy >= addressEnd) return false
  libc.memcpy(copy, address, length)
  // Replaces the pages while all accesses to them wait.
  if (libc.mremap(copy, length, length, remapMayMove | remapFixed, address) === address) return true
  libc.munmap(copy, length)
  return false
}

/**
 * Makes memory that shows a file independent of it. Its content is 0 then, as of new memory.
 * @returns false if the system refuses
 */
export function reset(memory: Uint8Array): boolean {
  const pages = pagesOf(memory)
  if (pages === undefined) return true
  const { address, length } = pages
  return anonymous(address, length, mapPrivate | mapFixed | mapAnonymous) === address
}

/** Linux 5.14 and later. */
function canPopulate(): boolean {
  if (populates !== undefined) return populates
  const length = BigInt(pageBytes!)
  const address = anonymous(anyAddress, length, mapPrivate | mapAnonymous)
  populates = address < addressEnd && libc!.madvise(address, length, populateRead) === 0
  if (address < addressEnd) libc!.munmap(address, length)
  return populates
}

function anonymous(address: bigint, length: bigint, flags: number): bigint {
  return libc!.mmap(address, length, protectRead | protectWrite, flags, noFile, 0n)
}

/** Returns the pages that the memory begins with and ends in; undefined if it does not begin with a page. */
function pagesOf(memory: Uint8Array): { address: bigint; length: bigint } | undefined {
  if (pageBytes === undefined || memory.length === 0) return undefined
  const address = BigInt(ptr(memory))
  if (address % BigInt(pageBytes) !== 0n) return undefined
  return { address, length: BigInt(Math.ceil(memory.length / pageBytes) * pageBytes) }
}
