/**
 * Reads the files that settings name. Only a regular file can be read twice: the text of a pipe, such as that of
 * `--env-file <(command)`, is kept for later readings. A reading is bounded: a path may name a device without an end.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs'

/** @throws what node:fs throws, or an Error that says what is wrong */
export type TextReader = (path: string, bytesMax: number) => string

const pieceBytes = 65_536
/** Texts of pipes and devices by path. */
const kept = new Map<string, string>()

/** For a start: waits for the writer of a pipe. */
export function readText(path: string, bytesMax: number): string {
  if (statSync(path).isFile()) return readRegular(path, bytesMax)
  const known = kept.get(path)
  if (known !== undefined) return known
  const descriptor = openSync(path, constants.O_RDONLY)
  try {
    const text = readAll(descriptor, bytesMax)
    kept.set(path, text)
    return text
  } finally {
    closeSync(descriptor)
  }
}

/** For a process that serves: never waits for a writer. */
export function readTextAgain(path: string, bytesMax: number): string {
  return kept.get(path) ?? readRegular(path, bytesMax)
}

function readRegular(path: string, bytesMax: number): string {
  // Without O_NONBLOCK, opening a pipe waits for its writer.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = fstatSync(descriptor)
    // Reading a directory has an error of its own.
    if (!found.isFile() && !found.isDirectory()) throw new Error(`it is ${kindOf(found)}, which only a start reads`)
    return readAll(descriptor, bytesMax)
  } finally {
    closeSync(descriptor)
  }
}

function kindOf(found: Stats): string {
  if (found.isFIFO()) return 'a pipe'
  return found.isSocket() ? 'a socket' : 'a device'
}

function readAll(descriptor: number, bytesMax: number): string {
  const pieces: Buffer[] = []
  let length = 0
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceBytes)
    const bytes = readSync(descriptor, piece, 0, pieceBytes, null)
    if (bytes === 0) return Buffer.concat(pieces).toString()
    pieces.push(piece.subarray(0, bytes))
    length += bytes
    if (length > bytesMax) throw new Error(`it is longer than ${bytesMax} bytes`)
  }
}
