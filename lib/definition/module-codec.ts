/** Makes a codec from a module's own `encode` and `decode`, with defaults for missing functions. */
import { canonicalJson, type Codec, type Json } from '../format/index.ts'
import { jsonOfBigint } from '../format/simple/integers.ts'
import type { OwnCodec } from './codec-source.ts'
import { refusePromise } from './refuse-promise.ts'

/** Checks what the module's functions return, because types are not enforced at run time. */
export function completeCodec<T>(own: OwnCodec<T>): Codec<T> {
  const codec: Codec<T> = {
    name: own.name ?? 'own',
    // The bytes are a view of a buffer that will be reused. The module gets a copy, which it may keep.
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
    // JSON.stringify has called toJSON before, which a Buffer has: `shown` is then not its bytes.
    const member = this[name]
    if (member instanceof Uint8Array) return member.toBase64()
    return typeof shown === 'bigint' ? jsonOfBigint(shown) : shown
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
    // The text is not a value of this codec.
  }
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch (error) {
    throw new Error('it must be JSON', { cause: error })
  }
  return codec.fromJson(json)
}
