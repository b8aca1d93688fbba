/** defineStore, which a store module calls. */
import { LatchkeyError, messageOf } from '../errors.ts'
import { type Codec, codecOf } from '../format/index.ts'
import { nearName } from '../text/did-you-mean.ts'
import { callerUrl } from './call-site.ts'
import type { CodecSource, ValueOf } from './codec-source.ts'
import { changesBytes, codecFrom, isFormat, nameOf } from './codecs.ts'
import type { Definition, skip, SourceRecord } from './definition.ts'

/** @template K, V types of keys and of stored values */
export interface Callbacks<K, V> {
  /** Runs before a key's first value is written. May change the value, or return another one. */
  readonly onNew?: (key: K, value: V) => V | void
  /** Runs before each later value of a key is written. May change the new value, or return another one. */
  readonly onUpdate?: (key: K, old: V, value: V) => V | void
  /** Runs before a key that has a value is deleted. */
  readonly onDelete?: (key: K, old: V) => void
}

type Convert<K, I, V> = (input: I, record: SourceRecord<K>) => V | null | typeof skip

/** `convert` is optional only if the topic's values have the type of stored values. */
type ConvertOption<K, I, V> = [I] extends [V]
  ? { readonly convert?: Convert<K, I, V> }
  : {
      /**
       * Returns the value to store for a value of the topic: null deletes the key, `skip` leaves the store unchanged.
       * Must be synchronous.
       */
      readonly convert: Convert<K, I, V>
    }

export interface StoreCodecs<K extends CodecSource, I extends CodecSource, V extends CodecSource> {
  /** Codec of the topic's keys, which are the keys of the store. */
  readonly key: K
  /** Codec of the topic's values. */
  readonly input: I
  /** Codec of stored values, in memory and in the changelog. Default: as `input`. */
  readonly value?: V
  /**
   * `import.meta.url` of the module that has this definition as its default export. Needed if another module calls
   * defineStore.
   */
  readonly module?: string
}

export type StoreOptions<K extends CodecSource, I extends CodecSource, V extends CodecSource> = StoreCodecs<K, I, V> &
  ConvertOption<ValueOf<K>, ValueOf<I>, ValueOf<V>> &
  Callbacks<ValueOf<K>, ValueOf<V>>

const functions = ['convert', 'onNew', 'onUpdate', 'onDelete'] as const
const members = ['key', 'input', 'value', 'module', ...functions]

/**
 * Defines the keys and values of a store, and how records are converted on their way in. The result must be the default
 * export of its own module. Two kinds of threads load that module: those that answer lookups and those that ingest
 * records.
 * @throws LatchkeyError invalid_settings: a member that is unknown or wrong, a file that cannot be read
 */
export function defineStore<K extends CodecSource, I extends CodecSource, V extends CodecSource = I>(
  options: StoreOptions<K, I, V>,
): Definition<ValueOf<K>, ValueOf<I>, ValueOf<V>> {
  const module = options?.module ?? callerUrl(defineStore)
  try {
    return definitionFrom(options, module)
  } catch (error) {
    throw new LatchkeyError('invalid_settings', `Defining the store: ${messageOf(error)}`, {
      cause: error,
      details: { found: messageOf(error) },
    })
  }
}

/** Marks the objects that defineStore returns. Others are not definitions. */
const definitions = Symbol.for('latchkey.definition')

export function isDefinition(value: unknown): value is Definition {
  return typeof value === 'object' && value !== null && definitions in value
}

function definitionFrom(
  options: StoreOptions<CodecSource, CodecSource, CodecSource>,
  module: string | undefined,
): Definition {
  if (typeof options !== 'object' || options === null) {
    throw new Error(`it is given ${options === undefined ? 'nothing' : nameOf(options)}: it must be an object`)
  }
  refuseUnknown(options)
  const key = codecFrom('key', options.key, module)
  const input = codecFrom('input', options.input, module)
  const value = storedCodec(options, input, module)
  const given: Pick<Definition, (typeof functions)[number]> = {}
  for (const name of functions) {
    const it = options[name]
    if (it === undefined) continue
    if (typeof it !== 'function') throw new Error(`${name} is ${nameOf(it)}: it must be a function`)
    if (it.constructor.name === 'AsyncFunction') throw new Error(`${name} is async: it must be synchronous`)
    Object.assign(given, { [name]: it })
  }
  const raw = codecOf({ format: 'raw' })
  const definition: Definition = {
    key,
    input,
    value,
    ...given,
    ...(module !== undefined && { module }),
    isPlain: key === raw && input === raw && value === raw && Object.keys(given).length === 0,
    keepsBytes: input === value && given.convert === undefined,
  }
  return Object.defineProperty(definition, definitions, { value: true })
}

/** Returns the input's codec itself if stored values have the same format, so that bytes can pass through unchanged. */
function storedCodec(
  { input: inputSource, value: valueSource = inputSource }: StoreOptions<CodecSource, CodecSource, CodecSource>,
  input: Codec,
  module: string | undefined,
): Codec {
  // Two own codecs may look the same and still differ.
  const isSame =
    inputSource === valueSource || (isFormat(inputSource) && Bun.deepEquals(inputSource, valueSource, true))
  return isSame && !changesBytes(inputSource) ? input : codecFrom('value', valueSource, module)
}

function refuseUnknown(options: object): void {
  const unknown = Object.keys(options).find((name) => !members.includes(name))
  if (unknown === undefined) return
  const near = nearName(unknown, members)
  throw new Error(
    `there is no ${JSON.stringify(unknown)}: ${near ? `did you mean ${near}?` : `there are ${members.join(', ')}`}`,
  )
}
