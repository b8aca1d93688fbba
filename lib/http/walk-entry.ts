/** An entry of a walk as JSON, and its parts for others who write entries that no client has named. */
import type { Presentation } from '../definition/presentation.ts'
import { isInstance, LatchkeyError } from '../errors.ts'
import type { KeyedLookup } from '../store-protocol/reads.ts'
import { writeBytes, writeOrigin, writeText, writeValue } from './entry-json.ts'
import type { JsonBuffer } from './json-buffer.ts'
import { logProblem } from './problem.ts'

export interface KeyOptions {
  /** Keys whose text form begins with these bytes; absent for all. */
  textPrefix: Uint8Array | undefined
  /** False: an entry is written without what a missing schema would be needed for. */
  waits: boolean
}

export interface WalkEntryOptions extends KeyOptions {
  keysOnly: boolean
}

/**
 * Writes `{"key":…,"value":…,"partition":…,…}`. `"code"` replaces a value that cannot be shown. A key that is not of its
 * format is `{"base64":"…"}`.
 *
 * @returns whether the entry was written; a promise if a schema is missing. Unless it is true, the caller takes back what
 *   was written
 */
export function writeWalkEntry(
  to: JsonBuffer,
  presentation: Presentation,
  entry: KeyedLookup,
  options: WalkEntryOptions,
): boolean | Promise<unknown> {
  to.ascii('{"key":')
  const isWritten = writeKey(to, presentation, entry.key, options)
  if (isWritten !== true) return isWritten
  if (!options.keysOnly) {
    const pending = writeShownValue(to, presentation, entry, options.waits)
    if (pending !== undefined) return pending
    writeOrigin(to, entry)
  }
  to.ascii('}')
  return true
}

/**
 * Writes a key as a string or `{"base64":"…"}`.
 * @returns false if it does not begin with the prefix; a promise if a schema is missing; then nothing was written
 */
export function writeKey(
  to: JsonBuffer,
  presentation: Presentation,
  key: Uint8Array,
  { textPrefix, waits }: KeyOptions,
): boolean | Promise<unknown> {
  const text = keyTextOf(presentation, key)
  if (text instanceof Promise) {
    if (waits) return text
    ignoreRejection(text)
  }
  const isText = text instanceof Uint8Array
  if (textPrefix !== undefined && !(isText && startsWith(text, textPrefix))) return false
  if (isText) writeText(to, text)
  else writeBytes(to, key)
  return true
}

/**
 * Writes `,"value":…`, or `,"code":"…"` if the value cannot be shown.
 * @returns a promise if a schema is missing; then nothing was written
 */
export function writeShownValue(
  to: JsonBuffer,
  presentation: Presentation,
  entry: KeyedLookup,
  waits: boolean,
): Promise<unknown> | undefined {
  const before = to.length
  const shown = writeShown(to, presentation, entry)
  if (shown === undefined) return undefined
  if (shown instanceof Promise) {
    if (waits) return shown
    ignoreRejection(shown)
  }
  to.truncate(before)
  to.ascii(`,"code":"${shown instanceof LatchkeyError ? shown.code : 'schema_unavailable'}"`)
  return undefined
}

/** @returns undefined if the bytes are not a key of the format */
function keyTextOf(presentation: Presentation, key: Uint8Array): Uint8Array | Promise<Uint8Array> | undefined {
  try {
    return presentation.keyText(key)
  } catch {
    return undefined
  }
}

/** @returns undefined if the value was written */
function writeShown(
  to: JsonBuffer,
  presentation: Presentation,
  entry: KeyedLookup,
): Promise<unknown> | LatchkeyError | undefined {
  try {
    return writeValue(to, presentation, entry)
  } catch (thrown) {
    const error = isInstance(thrown, LatchkeyError) ? thrown : new LatchkeyError('internal', 'Rendering a value')
    logProblem(thrown, error.code)
    return error
  }
}

/** A promise that no one waits for may reject, which would end the process. */
export function ignoreRejection(promise: Promise<unknown>): void {
  promise.catch(() => {})
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0
}
