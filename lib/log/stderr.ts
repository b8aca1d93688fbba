/**
 * Writes lines to stderr without waiting. A pipe whose reader does not read becomes full, and a write that waits would
 * stop the thread: the store would stand still for its log. Lines that a full pipe does not take are dropped instead.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs'

const stderr = 2

let descriptor: number | undefined
/** Whether the pipe took only a part of the last line. */
let wasPartial = false

/** @returns false if the line was dropped because the pipe is full */
export function writeToStderr(line: string): boolean {
  try {
    descriptor ??= openStderr()
    const text = wasPartial ? `\n${line}` : line
    wasPartial = writeSync(descriptor, text) < Buffer.byteLength(text)
    return true
  } catch (error) {
    // A closed stderr or a full disk must not stop the thread either.
    return (error as { code?: unknown }).code !== 'EAGAIN'
  }
}

/**
 * Opens the pipe again. O_NONBLOCK then holds for this process only, not for others that write to the same pipe. What
 * is not a pipe, and a pipe of another user, is written as it is.
 */
function openStderr(): number {
  try {
    if (!fstatSync(stderr).isFIFO()) return stderr
    return openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    return stderr
  }
}
