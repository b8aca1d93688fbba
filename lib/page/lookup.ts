/** One lookup: a value with where it comes from, or why there is none. */
import { type Api, messageOf, ServerRefusal } from './api.ts'
import { instant } from './format.ts'
import { encodedKey, type ShownKey } from './keys.ts'
import { readingOf, type ValueReading } from './reading.ts'

export interface FoundValue {
  readonly reading: ValueReading
  /** Names with figures. */
  readonly facts: readonly (readonly [string, string])[]
}

export interface MissingValue {
  readonly title: string
  readonly code: string
  readonly why: string
}

const headerPrefix = 'x-kafka-header-'

/** @returns rejects only if `signal` aborts */
export async function lookUp(api: Api, key: ShownKey, signal: AbortSignal): Promise<FoundValue | MissingValue> {
  try {
    const response = await api.get(api.pathOf('stores', `?key=${encodedKey(key)}`), signal)
    return { reading: readingOf(new Uint8Array(await response.arrayBuffer())), facts: factsOf(response.headers) }
  } catch (error) {
    if (signal.aborted) throw error
    const { title, code } = error instanceof ServerRefusal ? error : { title: 'No answer', code: '' }
    return { title, code, why: messageOf(error) }
  }
}

function factsOf(headers: Headers): [string, string][] {
  const of = (name: string) => headers.get(name) ?? '–'
  const lag = headers.get('x-latchkey-lag')
  const role = headers.get('x-latchkey-role') ?? 'primary'
  return [
    ['Partition', of('x-kafka-partition')],
    ['Offset', of('x-kafka-offset')],
    ['Time, UTC', instant(Date.parse(of('last-modified'))).replace(/\.000$/, '')],
    ['ETag', of('etag')],
    ['Role', lag === null ? role : `${role}, ${lag} behind`],
    ...[...headers]
      .filter(([name]) => name.startsWith(headerPrefix))
      .map(([name, value]): [string, string] => [`Header ${name.slice(headerPrefix.length)}`, decoded(value)]),
  ]
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
