/** The keys of a request for many: from its query, or from a JSON body. */
import { LatchkeyError } from '../errors.ts'
import { decodeForm } from './key.ts'
import { quoted } from './parameters.ts'
import { plainKeysOf } from './plain-keys.ts'

/** Maximum number of keys of one request. */
export const keysMax = 10_000
/** Maximum size of the body of one request. */
export const bodyBytesMax = 1_048_576

const shape = '{"keys":["a","b"]}; {"base64":"…"} stands for a key whose bytes are not text'

/** A key as a client has written it. */
export interface AskedKey {
  /** Its text form, or its bytes. */
  readonly text: Uint8Array
  /** `text` is the bytes of the key itself, which needs no conversion. */
  readonly isBytes: boolean
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const encoder = new TextEncoder()

/**
 * @param values of `keys` in a query, as written
 * @throws LatchkeyError invalid_key, too_many_keys
 */
export function keysOfQuery(values: readonly string[]): AskedKey[] {
  checkCount(values.length)
  return values.map((value) => ({ text: decodeForm(value), isBytes: false }))
}

/**
 * @param body `{"keys":[…]}`: strings in the text form of keys, or `{"base64":"…"}`
 * @throws LatchkeyError malformed_request, invalid_parameter, too_many_keys
 */
export function keysOfBody(body: Uint8Array): AskedKey[] {
  const plain = plainKeysOf(body, keysMax)
  if (plain !== undefined) return plain.map((text) => ({ text, isBytes: false }))
  const json = parse(body)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid(`it is not an object; send ${shape}`)
  }
  const { keys, ...others } = json as { keys?: unknown }
  const [other] = Object.keys(others)
  if (other !== undefined) throw invalid(`there is no member ${quoted(other)}; send ${shape}`)
  if (!Array.isArray(keys)) throw invalid(`its keys are not a list; send ${shape}`)
  checkCount(keys.length)
  return keys.map(askedKey)
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body))
  } catch {
    throw new LatchkeyError('malformed_request', `Reading the body: it is not JSON in UTF-8; send ${shape}`)
  }
}

function askedKey(key: unknown, index: number): AskedKey {
  if (typeof key === 'string') {
    if (key.isWellFormed()) return { text: encoder.encode(key), isBytes: false }
    throw invalid(`key ${index} of the list has half of a surrogate pair, which is not text; send {"base64":"…"}`)
  }
  if (typeof key === 'object' && key !== null && Object.keys(key).join() === 'base64') {
    const bytes = bytesOf((key as { base64: unknown }).base64)
    if (bytes !== undefined) return { text: bytes, isBytes: true }
  }
  throw invalid(`key ${index} of the list is neither a string nor {"base64":"…"}`)
}

function bytesOf(base64: unknown): Uint8Array | undefined {
  if (typeof base64 !== 'string') return undefined
  try {
    return Uint8Array.fromBase64(base64)
  } catch {
    return undefined
  }
}

function checkCount(count: number): void {
  if (count <= keysMax) return
  const found = `there are ${count} keys; ask for at most ${keysMax} in one request`
  throw new LatchkeyError('too_many_keys', `Reading many keys: ${found}`, { details: { keysMax } })
}

function invalid(found: string): LatchkeyError {
  return new LatchkeyError('invalid_parameter', `Reading the body: ${found}`)
}
