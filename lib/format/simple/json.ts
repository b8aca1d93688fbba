/**
 * JSON text in UTF-8. Bytes that are sound are kept as they are by whoever only checks them; keys are encoded canonically, values with members in their order.
 *
 * Numbers are doubles, as in JavaScript, but for one thing: a whole number written out beyond 2^53, where doubles would
 * change it, is decoded as a decimal string. It so survives a conversion, if as a string. Of members named twice the last counts.
 */
import { withoutBom } from '../../text/bom.ts'
import { type Codec, type Json } from '../codec.ts'
import { canonicalJson, jsonText } from './canonical-json.ts'
import { quoteLargeIntegers } from './large-integers.ts'
import { bytesOf, textOf } from './utf8.ts'

/** Short enough to be looked for in every record: only what has it can have a whole number that a double cannot hold. */
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

/** For values, which nobody looks up by their bytes. */
export const jsonValueCodec: Codec<Json> = { ...jsonCodec, encode: (json) => bytesOf(jsonText(json)) }

/** @param marked may begin with a byte order mark @throws Error that says what was found */
export function parseJson(marked: string): Json {
  const text = withoutBom(marked)
  try {
    const json = JSON.parse(text) as Json
    return sixteenDigits.test(text) ? (JSON.parse(quoteLargeIntegers(text)) as Json) : json
  } catch (error) {
    throw new Error(`it is no JSON: ${reasonOf(error)}`, { cause: error })
  }
}

/** The engine's reason without what it quotes of the text, which may be a secret. */
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
