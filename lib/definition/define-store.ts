/** What a store module calls. */
import { LatchkeyError, messageOf } from '../errors.ts'
import { type Codec, codecOf } from '../format/index.ts'
import { nearName } from '../text/did-you-mean.ts'
import { callerUrl } from './call-site.ts'
import { changesBytes, codecFrom, isFormat, nameOf } from './codecs.ts'
import { type CodecSource, type ValueOf } from './codec-source.ts'
import { type Definition, type skip, type SourceRecord } from './definition.ts'

/** @template K, I, V the types of keys, of the topic's values, and of what is stored */
export interface Callbacks<K, V> {
  /** Before a key's first value is written. May change the value, or return another one. */
  readonly onNew?: (key: K, value: V) => V | void
  /** Before a key's next value is written. May change the new value, or return another one. */
  readonly onUpdate?: (key: K, old: V, value: V) => V | void
  /** Before a key that has a value is deleted. */
  readonly onDelete?: (key: K, old: V) => void
}

type Convert<K, I, V> = (input: I, record: SourceRecord<K>) => V | null | typeof skip

/** What the topic has can be stored without conversion only where it is what the store holds. */
type Conversion<K, I, V> = [I] extends [V]
  ? { readonly convert?: Convert<K, I, V> }
  : {
      /** Of a value of the topic, what is stored under its key: null to delete the key, `skip` to leave everything as it is. Not async. */
      readonly convert: Convert<K, I, V>
    }

export interface StoreCodecs<K extends CodecSource, I extends CodecSource, V extends CodecSource> {
  /** Of the topic's keys, which are the store's. */
  readonly key: K
  /** Of the topic's values. */
  readonly input: I
  /** Of what is stored, in memory and in the changelog. Left out: as `input`. */
  readonly value?: V
  /** `import.meta.url` of the module that has this as its default export, where it is another one than the one that calls. */
  readonly module?: string
}

export type StoreOptions<K extends CodecSource, I extends CodecSource, V extends CodecSource> = StoreCodecs<K, I, V> &
  Conversion<ValueOf<K>, ValueOf<I>, ValueOf<V>> &
  Callbacks<ValueOf<K>, ValueOf<V>>

const functions = ['convert', 'onNew', 'onUpdate', 'onDelete'] as const
const members = ['key', 'input', 'value', 'module', ...functions]

/**
 * What a store's keys and values are, and what happens to records on their way in. To be the default export of a module of its own, which
 * is loaded on two threads: where lookups are answered, and where records come in.
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

/** Only what defineStore has returned is a definition. */
const definitions = Symbol.for('latchkey.definition')

export function isDefinition(value: unknown): value is Definition {
  return typeof value === 'object' && value !== null && definitions in value
}

function definitionFrom(
  options: StoreOptions<CodecSource, CodecSource, CodecSource>,
  module: string | undefined,
): Definition {
  if (typeof options !== 'object' || options === null)
    throw new Error(`it is given ${options === undefined ? 'nothing' : nameOf(options)}: it must be an object`)
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

/** The input's codec itself where bytes may pass on as they are. */
function storedCodec(
  { input: inputSource, value: valueSource = inputSource }: StoreOptions<CodecSource, CodecSource, CodecSource>,
  input: Codec,
  module: string | undefined,
): Codec {
  // Two codecs of one's own may look the same and be none the less different.
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
