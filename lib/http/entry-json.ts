/** An entry of a store as JSON, as all answers with several entries write it. */
import type { Presentation } from '../definition/presentation.ts'
import { decodeKeptHeaders } from '../store-protocol/header-prefix.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { JsonBuffer } from './json-buffer.ts'

/** Writes bytes of text as a string; bytes that are not text as `{"base64":"…"}`. */
export function writeText(to: JsonBuffer, text: Uint8Array): void {
  if (!to.string(text)) writeBytes(to, text)
}

export function writeBytes(to: JsonBuffer, bytes: Uint8Array): void {
  to.ascii('{"base64":')
  to.base64(bytes)
  to.ascii('}')
}

/**
 * Writes `,"value":…`: the JSON form of the value. Raw bytes that are JSON text are embedded; others become
 * `,"valueBase64":"…"`.
 *
 * @returns a promise if nothing was written because a schema is being fetched; it settles when the next call may write
 * @throws LatchkeyError as Presentation.render does; then nothing was written
 */
export function writeValue(to: JsonBuffer, presentation: Presentation, lookup: Lookup): Promise<unknown> | undefined {
  const rendered = presentation.hasRawValues ? lookup.value : presentation.render(lookup, 'json')
  if (rendered instanceof Promise) return rendered
  const before = to.length
  to.ascii(',"value":')
  if (typeof rendered === 'string') to.text(rendered)
  else if (!to.json(rendered)) {
    to.truncate(before)
    to.ascii(',"valueBase64":')
    to.base64(rendered)
  }
  return undefined
}

/** Writes where the record of an entry comes from, and its kept headers: `,"partition":3,"offset":42,…`. */
export function writeOrigin(to: JsonBuffer, lookup: Lookup): void {
  const { partition, offset, timestamp, headerBlock, replicaLag } = lookup
  to.ascii(',"partition":')
  to.number(partition)
  to.ascii(',"offset":')
  writeKnown(to, offset)
  to.ascii(',"timestamp":')
  writeKnown(to, timestamp)
  if (headerBlock !== undefined) writeHeaders(to, lookup)
  if (replicaLag === undefined) return
  to.ascii(',"role":"replica","lag":')
  writeKnown(to, replicaLag ?? -1)
}

/** In their order; several may have one name. */
function writeHeaders(to: JsonBuffer, lookup: Lookup): void {
  let separator = ',"headers":['
  for (const [name, value] of decodeKeptHeaders(lookup)) {
    to.ascii(`${separator}{"name":`)
    to.text(JSON.stringify(name.toWellFormed()))
    const before = to.length
    to.ascii(',"value":')
    if (!to.string(value)) {
      to.truncate(before)
      to.ascii(',"valueBase64":')
      to.base64(value)
    }
    to.ascii('}')
    separator = ','
  }
  if (separator === ',') to.ascii(']')
}

function writeKnown(to: JsonBuffer, value: number): void {
  if (value < 0) to.ascii('null')
  else to.number(value)
}
