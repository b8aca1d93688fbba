/**
 * JSON text in UTF-8. Valid bytes are stored unchanged if nothing converts them. Keys are encoded canonically, values
 * with their members in order.
 *
 * Numbers are doubles, as in JavaScript, with one exception: a whole number beyond 2^53 that a double would change is
 * decoded as a decimal string. It survives a conversion, but as a string. If a member occurs twice, the last one is
 * used.
 */
import { withoutBom } from '../../text/bom.ts'
import type { Codec, Json } from '../codec.ts'
import { canonicalJson, jsonText } from './canonical-json.ts'
import { quoteLargeIntegers } from './large-integers.ts'
import { bytesOf, textOf } from './utf8.ts'

/**
 * A fast check for every record: only a text with 16 digits in a row can contain a whole number that a double cannot
 * represent.
 */
const sixteenDigits = /\d{16}/

export const jsonCodec: Codec<Json> = {
  name: 'json',
  decode: (bytes) => parseJson(textOf(bytes)),
  encode: (json) => bytesOf(canonicalJson(json)),
  toJson: (json) => json,
  fromJson: (json) => json,
  toText: canonicalJson,
  fromText: jsonOfText,
  isJsonText: true,
}

/** For values, which are never looked up by their bytes. */
export const jsonValueCodec: Codec<Json> = { ...jsonCodec, encode: (json) => bytesOf(jsonText(json)) }

/**
 * @param marked text that may begin with a byte order mark
 * @throws Error that says what was found
 */
export function parseJson(marked: string): Json {
  const text = withoutBom(marked)
  try {
    const json = JSON.parse(text) as Json
    return sixteenDigits.test(text) ? (JSON.parse(quoteLargeIntegers(text)) as Json) : json
  } catch (error) {
    throw new Error(`it is not JSON: ${reasonOf(error)}`, { cause: error })
  }
}

/** Returns the engine's reason without the text that it quotes, which may be a secret. */
function reasonOf(error: unknown): string {
  const { message } = error as Error
  const quoted = message.indexOf('"')
  return message
    .slice(0, quoted < 0 ? undefined : quoted)
    .replace('JSON Parse error: ', '')
    .trimEnd()
}

function jsonOfText(text: string): Json {
  try {
    return parseJson(text)
  } catch {
    throw new Error('it must be JSON, such as {"id":7} or "text" in quotation marks')
  }
}
