/** flock(2): a lock on a file that ends with the process. Bun has no API for it. */
import { closeSync, constants } from 'node:fs'
import { openLibc } from './libc.ts'
import { openRegular } from './own-files.ts'

const [lockExclusive, lockNonBlocking] = [2, 4]
const ownerOnly = 0o600
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT

/** Undefined without glibc. */
const libc = openLibc({ flock: { args: ['i32', 'i32'], returns: 'i32' } })

/** Whether lockFile can take a lock: with glibc on Linux. */
export const canLockFiles = libc !== undefined

/**
 * Locks a file, which is made if it does not exist, until the returned function is called or the process ends. Another
 * call in the same process does not get the lock either. Throws errors of opening the file.
 * @returns undefined if the lock is held already
 */
export function lockFile(path: string): (() => void) | undefined {
  const descriptor = openRegular(path, flags, ownerOnly)
  if (libc?.flock(descriptor, lockExclusive | lockNonBlocking) === 0) return () => closeSync(descriptor)
  closeSync(descriptor)
  return undefined
}
