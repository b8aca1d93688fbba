/**
 * Translates between a store's bytes and their text form: keys in URLs, values in responses. Lookups use it; ingest
 * does not.
 * Synchronous as long as no schema is missing, so that a lookup needs no promise.
 */
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import { type Codec, SchemaPending } from '../format/codec.ts'
import { isLongerThan, JsonTooLong } from '../format/simple/json-length.ts'
import { rawCodec } from '../format/simple/raw.ts'
import { utf8Codec } from '../format/simple/utf8.ts'
import { bytesWithoutBom } from '../text/bom.ts'
import type { Definition } from './definition.ts'
import { schemaWaitMsDefault, withSchemas } from './schema-wait.ts'

/** Forms of a value in a response: JSON, plain text, or the stored bytes. */
export type Representation = 'json' | 'text' | 'bytes'

/** A value with the place of its source record, for messages. */
export interface StoredValue {
  readonly value: Uint8Array
  readonly partition: number
  /** -1 if unknown. */
  readonly offset: number
}

export interface Presentation {
  /** Names such as `int64` or `protobuf orders.v1.Order`. `value` is the format of stored values. */
  readonly formats: { readonly key: string; readonly value: string }
  /** Values are not decoded: each representation is the stored bytes. */
  readonly hasRawValues: boolean
  /** The text form of a key is its bytes. */
  readonly hasPlainKeys: boolean
  /**
   * Returns the bytes of a key from its text in a URL, percent-decoded. Returns a promise only while a schema is
   * fetched.
   * Throws or rejects with LatchkeyError: invalid_key, which says what is expected; schema_unavailable.
   */
  keyOf(text: Uint8Array): Uint8Array | Promise<Uint8Array>
  /**
   * The inverse of keyOf, not yet percent-encoded. Throws or rejects with the codec's error if the bytes are not a
   * valid key.
   */
  keyText(key: Uint8Array): Uint8Array | Promise<Uint8Array>
  /**
   * Returns the body of a response. Returns a promise only while a schema is fetched.
   * Throws or rejects with LatchkeyError: value_undecodable, which does not show the bytes; not_acceptable if the body
   * would exceed its size limit; schema_unavailable.
   */
  render(stored: StoredValue, as: Representation): Uint8Array | string | Promise<Uint8Array | string>
}

export interface PresentationOptions {
  /** Maximum time that a lookup waits for a schema. */
  schemaWaitMs?: number
}

/**
 * Maximum size of a value rendered as JSON or text; stored bytes have no such limit. Names in a schema can turn a few
 * bytes into a long text.
 */
const renderedBytesMax = 16_777_216
/** Limits the reason in messages, because codecs may quote their input. */
const reasonCharactersMax = 300

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @param definition absent: bytes are passed on unchanged */
export function presentationOf(
  definition: Definition | undefined,
  { schemaWaitMs = schemaWaitMsDefault }: PresentationOptions = {},
): Presentation {
  const { key, value } = definition ?? { key: rawCodec, value: rawCodec }
  return {
    formats: { key: key.name, value: value.name },
    hasRawValues: value === rawCodec,
    hasPlainKeys: key === rawCodec || key === utf8Codec,
    ...(key === rawCodec ? rawKeys : keysOf(key, schemaWaitMs)),
    render: value === rawCodec ? storedBytes : renderer(value, schemaWaitMs),
  }
}

const rawKeys: Pick<Presentation, 'keyOf' | 'keyText'> = { keyOf: (text) => text, keyText: (key) => key }

function storedBytes({ value }: StoredValue): Uint8Array {
  return value
}

function keysOf(codec: Codec, waitMs: number): Pick<Presentation, 'keyOf' | 'keyText'> {
  return {
    keyOf: (text) => withSchemas(() => encodeKey(codec, text), waitMs),
    keyText: (key) => withSchemas(() => textOf(codec, key), waitMs),
  }
}

function renderer(codec: Codec, waitMs: number): Presentation['render'] {
  return (stored, as) => {
    if (as === 'bytes') return stored.value
    if (as === 'json' && codec.isJsonText) return bytesWithoutBom(stored.value)
    return withSchemas(() => show(codec, stored, as), waitMs)
  }
}

function encodeKey(codec: Codec, text: Uint8Array): Uint8Array {
  try {
    return codec.encode(codec.fromText(decodeUtf8(text)))
  } catch (thrown) {
    if (isInstance(thrown, SchemaPending)) throw thrown
    const reason = messageOf(thrown).slice(0, reasonCharactersMax)
    throw new LatchkeyError('invalid_key', `Reading the key: ${reason}`, { cause: thrown })
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Error('it must be UTF-8, percent-encoded')
  }
}

function textOf(codec: Codec, key: Uint8Array): Uint8Array {
  return encoder.encode(codec.toText(codec.decode(key)))
}

/** Errors do not include the codec's message, because it may quote the value. */
function show(codec: Codec, { value, partition, offset }: StoredValue, as: 'json' | 'text'): string {
  let shown: unknown
  let isTooLong = false
  try {
    const decoded = codec.decode(value)
    shown = as === 'json' ? jsonTextOf(codec, decoded) : codec.toText(decoded)
    isTooLong = typeof shown === 'string' && byteLength(shown) > renderedBytesMax
  } catch (thrown) {
    if (isInstance(thrown, SchemaPending)) throw thrown
    isTooLong = isInstance(thrown, JsonTooLong)
  }
  const details = { partition, offset: offset < 0 ? null : offset }
  const place = offset < 0 ? `partition ${partition}` : `partition ${partition}, source offset ${offset}`
  if (isTooLong) {
    const found = `it would have more than ${renderedBytesMax} bytes`
    const message = `Rendering the value of ${place} as ${as}: ${found}; ask for application/octet-stream, which are the stored bytes`
    throw new LatchkeyError('not_acceptable', message, { details })
  }
  if (typeof shown === 'string') return shown
  const advice =
    "perhaps the store's format has changed since it was stored; start with --rebuild to store all values again"
  const message = `Rendering the value of ${place}: its bytes are not valid ${codec.name}; ${advice}`
  throw new LatchkeyError('value_undecodable', message, { details })
}

function jsonTextOf(codec: Codec, decoded: unknown): unknown {
  const json = codec.toJson(decoded)
  if (isLongerThan(json, renderedBytesMax)) throw new JsonTooLong(renderedBytesMax)
  return JSON.stringify(json)
}

function byteLength(text: string): number {
  // A character takes at most three bytes in UTF-8, so most texts are short enough without counting.
  return text.length * 3 <= renderedBytesMax ? text.length : Buffer.byteLength(text)
}
