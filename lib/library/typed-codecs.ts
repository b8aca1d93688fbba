/** Encodes and decodes the keys and values of a program, with errors that say what was attempted. */
import { type Definition, definitionOfFormats } from '../definition/index.ts'
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import { type Codec, SchemaPending } from '../format/index.ts'
import { rawCodec } from '../format/simple/raw.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'

const encoder = new TextEncoder()

/** Every method throws SchemaPending if a schema has to be fetched first. */
export class TypedCodecs<K, V> {
  readonly #key: Codec<K>
  readonly #value: Codec<V>

  constructor({ key, value }: Pick<Definition<K, unknown, V>, 'key' | 'value'>) {
    this.#key = key
    this.#value = value
  }

  /**
   * A string stands for its UTF-8 if keys are bytes.
   * @throws LatchkeyError invalid_key
   */
  keyBytes(key: K): Uint8Array {
    const isText = typeof key === 'string' && (this.#key as unknown) === rawCodec
    if (isText) return encoder.encode(key)
    return attempt('invalid_key', `Encoding the key as ${this.#key.name}`, () => bytesOf(this.#key.encode(key)))
  }

  /** @throws LatchkeyError invalid_key */
  keyOf(bytes: Uint8Array): K {
    if ((this.#key as unknown) === rawCodec) return bytes as K
    return attempt('invalid_key', `Decoding a stored key as ${this.#key.name}`, () => this.#key.decode(bytes))
  }

  /** @throws LatchkeyError invalid_value */
  valueBytes(value: V): Uint8Array {
    return attempt('invalid_value', `Encoding the value as ${this.#value.name}`, () =>
      bytesOf(this.#value.encode(value)),
    )
  }

  /** @throws LatchkeyError value_undecodable */
  valueOf({ value, partition, offset }: Lookup): V {
    // The bytes of a lookup are a copy.
    if ((this.#value as unknown) === rawCodec) return value as V
    const place = offset < 0 ? `partition ${partition}` : `partition ${partition}, source offset ${offset}`
    return attempt('value_undecodable', `Decoding the value of ${place} as ${this.#value.name}`, () =>
      this.#value.decode(value),
    )
  }
}

/** Uses the codecs of the definition if there is one, else those of the configured formats. */
export function codecsOf<K, V>(definition: Definition<K, unknown, V> | undefined, { formats }: StoreConfig) {
  return new TypedCodecs<K, V>(definition ?? definitionOfFormats(formats))
}

function attempt<T>(code: 'invalid_key' | 'invalid_value' | 'value_undecodable', attempted: string, run: () => T): T {
  try {
    return run()
  } catch (thrown) {
    if (isInstance(thrown, SchemaPending) || isInstance(thrown, LatchkeyError)) throw thrown
    throw new LatchkeyError(code, `${attempted}: ${messageOf(thrown)}`, { cause: thrown })
  }
}

function bytesOf(encoded: unknown): Uint8Array {
  if (encoded instanceof Uint8Array) return encoded
  throw new Error(`it must be a Uint8Array, not ${encoded === null ? 'null' : typeof encoded}`)
}
