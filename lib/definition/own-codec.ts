/** A codec of a module's own encode and decode, completed with what it leaves out. */
import { canonicalJson, type Codec, type Json } from '../format/index.ts'
import { type OwnCodec } from './codec-source.ts'
import { refusePromise } from './synchronous.ts'

/** What comes from the module is checked, since nothing makes it keep to its types. */
export function completeCodec<T>(own: OwnCodec<T>): Codec<T> {
  const codec: Codec<T> = {
    name: own.name ?? 'own',
    // The bytes are a view of a buffer that is used again: a copy is the module's to keep.
    decode: (bytes) => refusePromise(own.decode(bytes.slice()), 'decode'),
    encode: (value) => bytesFrom(own.encode(value)),
    toJson: (value) => (own.toJson ? own.toJson(value) : plainJson(value)),
    fromJson: (json) => (own.fromJson ? own.fromJson(json) : (json as T)),
    toText: (value) => (own.toText ? own.toText(value) : plainText(value, codec)),
    fromText: (text) => (own.fromText ? own.fromText(text) : valueFromText(text, codec)),
  }
  return codec
}

function bytesFrom(encoded: unknown): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded
  refusePromise(encoded, 'encode')
  throw new Error(`encode returned ${encoded === null ? 'null' : `a ${typeof encoded}`}: it must return a Uint8Array`)
}

function plainJson(value: unknown): Json {
  const text = JSON.stringify(value, function (this: Record<string, unknown>, name, shown: unknown) {
    // A Buffer has made something else of itself by now.
    const member = this[name]
    if (member instanceof Uint8Array) return member.toBase64()
    if (typeof shown !== 'bigint') return shown
    return Number.isSafeInteger(Number(shown)) ? Number(shown) : String(shown)
  }) as string | undefined
  if (text === undefined) throw new Error(`${typeof value} cannot be shown as JSON`)
  return JSON.parse(text) as Json
}

function plainText<T>(value: T, codec: Codec<T>): string {
  const json = codec.toJson(value)
  return typeof json === 'string' ? json : canonicalJson(json)
}

function valueFromText<T>(text: string, codec: Codec<T>): T {
  try {
    if ((codec.decode(codec.encode(text as T)) as unknown) === text) return text as T
  } catch {
    // No string is a value of this codec, or not this one.
  }
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch (error) {
    throw new Error('it must be JSON', { cause: error })
  }
  return codec.fromJson(json)
}
