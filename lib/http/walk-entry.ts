/** An entry of a walk as JSON. */
import type { Presentation } from '../definition/presentation.ts'
import { isInstance, LatchkeyError } from '../errors.ts'
import type { KeyedLookup } from '../store-protocol/reads.ts'
import { writeBytes, writeOrigin, writeText, writeValue } from './entry-json.ts'
import type { JsonBuffer } from './json-buffer.ts'
import { logProblem } from './problem.ts'

export interface WalkEntryOptions {
  /** Keys whose text form begins with these bytes; absent for all. */
  textPrefix: Uint8Array | undefined
  keysOnly: boolean
  /** False: an entry is written without what a missing schema would be needed for. */
  waits: boolean
}

/**
 * Writes `{"key":…,"value":…,"partition":…,…}`. `"code"` replaces a value that cannot be shown. A key that is not of its
 * format is `{"base64":"…"}`.
 *
 * @returns whether the entry was written; a promise, and nothing written, if a schema is missing
 */
export function writeWalkEntry(
  to: JsonBuffer,
  presentation: Presentation,
  entry: KeyedLookup,
  { textPrefix, keysOnly, waits }: WalkEntryOptions,
): boolean | Promise<unknown> {
  const text = keyTextOf(presentation, entry.key)
  if (text instanceof Promise && waits) return text
  const isText = text instanceof Uint8Array
  if (textPrefix !== undefined && !(isText && startsWith(text, textPrefix))) return false
  const before = to.length
  to.ascii('{"key":')
  if (isText) writeText(to, text)
  else writeBytes(to, entry.key)
  if (!keysOnly) {
    const shown = writeShown(to, presentation, entry)
    if (shown instanceof Promise && waits) {
      to.truncate(before)
      return shown
    }
    if (shown !== undefined) to.ascii(`,"code":"${shown instanceof LatchkeyError ? shown.code : 'schema_unavailable'}"`)
    writeOrigin(to, entry)
  }
  to.ascii('}')
  return true
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

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && Buffer.compare(bytes.subarray(0, prefix.length), prefix) === 0
}
