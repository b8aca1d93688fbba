/**
 * Files and directories that only this process should have made. Another user may have put something else in their place: a
 * pipe, at which opening waits without end, or a link to a file that must not be written.
 */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'

const writableByOthers = 0o002

/**
 * Opens a regular file. Throws errors of the system: ELOOP for a symbolic link, EINVAL for
 * anything else, such as a directory or a pipe.
 * @param mode of a new file
 * @returns its descriptor
 */
export function openRegular(path: string, flags: number, mode?: number): number {
  const descriptor = openSync(path, flags | constants.O_NONBLOCK | constants.O_NOFOLLOW, mode)
  if (fstatSync(descriptor).isFile()) return descriptor
  closeSync(descriptor)
  throw systemError('EINVAL', `${path} is not a regular file`)
}

/** Throws EPERM if other users can put files into a directory. Does nothing if there is none. */
export function checkOwner(path: string, own = process.geteuid?.()): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (own === undefined || found === undefined) return
  // The administrator may prepare the directory.
  if (found.uid !== own && found.uid !== 0) {
    throw systemError('EPERM', `${path} belongs to user ${found.uid}, and this process runs as user ${own}`)
  }
  if (found.mode & writableByOthers) throw systemError('EPERM', `every user may write to ${path}`)
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
