/** What a request to follow changes asks for: its query, and the header with which a client continues. */
import { LatchkeyError } from '../../errors.ts'
import { parseChangeId } from '../../store-protocol/change-id.ts'
import type { FollowOptions } from '../../store-protocol/following.ts'
import { accepted } from '../accept.ts'
import { decodeForm } from '../key.ts'
import { Parameters, partitionMax, quoted } from '../parameters.ts'
import type { RequestHead } from '../request-head.ts'
import type { StoreView } from '../store-view.ts'

/** Server-sent events, or one object a line. */
export type FeedForm = 'sse' | 'ndjson'

export interface FeedOptions {
  readonly form: FeedForm
  readonly follow: FollowOptions
  /** Bytes with which the text form of a key begins, if the store cannot compare them; absent for all keys. */
  readonly textPrefix: Uint8Array | undefined
}

/** In order of preference. */
export const feedMediaTypes: readonly (readonly [FeedForm, string])[] = [
  ['sse', 'text/event-stream'],
  ['ndjson', 'application/x-ndjson'],
]

/** The id of an event after which a client begins with a listing. */
export const startId = 'start'

const attempted = 'Following changes'
const known = ['keys', 'prefix', 'partition', 'from', 'values', 'after']
export const followedKeysMax = 1_000
/** Partitions of which an id fits into the 16 KB of a request's head. */
const partitionsMax = 1_000

/**
 * @param query without the question mark
 * @throws LatchkeyError invalid_parameter, invalid_key, too_many_keys, not_acceptable, and what a lookup throws while the
 *   store does not serve; also as a rejection
 */
export async function feedOptionsOf(store: StoreView, { headers }: RequestHead, query: string): Promise<FeedOptions> {
  const parameters = new Parameters(attempted, query, known, ['keys'])
  const form = accepted(headers.get('accept'), feedMediaTypes, attempted)
  const partition = parameters.wholeNumber('partition', 0, partitionMax)
  const held = store.heldPartitions.length
  if (held > partitionsMax && partition === undefined) {
    throw parameters.invalid(`this instance holds ${held} partitions; follow one at a time, with partition=`)
  }
  const keys = await keysOf(store, parameters)
  const prefix = parameters.bytes('prefix')
  if (keys !== undefined && prefix !== undefined) {
    throw parameters.invalid('the query has keys and prefix, which exclude each other; give one of them')
  }
  const { hasPlainKeys } = store.presentation
  const follow: FollowOptions = {
    ...(keys && { keys }),
    ...(prefix && hasPlainKeys && { prefix }),
    ...(partition !== undefined && { partitions: [partition] }),
    from: fromOf(parameters, headers.get('last-event-id')),
    withValues: hasValues(parameters),
  }
  return { form, follow, textPrefix: hasPlainKeys ? undefined : prefix }
}

async function keysOf({ presentation }: StoreView, parameters: Parameters): Promise<Uint8Array[] | undefined> {
  if (!parameters.has('keys')) return undefined
  const values = parameters.all('keys')
  if (values.length > followedKeysMax) {
    const found = `there are ${values.length} keys; follow at most ${followedKeysMax} in one request, or a prefix`
    throw new LatchkeyError('too_many_keys', `${attempted}: ${found}`, { details: { keysMax: followedKeysMax } })
  }
  const keys = await Promise.all(values.map((value) => presentation.keyOf(decodeForm(value))))
  // An array of its own takes as much as the key; an encoder may have made a buffer of a kilobyte.
  return keys.map((key) => new Uint8Array(key))
}

/** The header precedes the query: a browser sends it with the URL of its first request. */
function fromOf(parameters: Parameters, lastEventId: string | null): FollowOptions['from'] {
  const from = parameters.text('from')
  if (from !== undefined && from !== 'now' && from !== startId) {
    throw parameters.invalid(`from is ${quoted(from)}; give from=now or from=start`)
  }
  const after = parameters.text('after')
  if (from !== undefined && after !== undefined) {
    throw parameters.invalid('the query has from and after, which exclude each other; give one of them')
  }
  if (lastEventId) return placeOf(lastEventId, 'the header Last-Event-ID', parameters)
  return after === undefined ? (from ?? 'now') : placeOf(after, 'after', parameters)
}

function placeOf(text: string, where: string, parameters: Parameters): FollowOptions['from'] {
  const place = text === startId ? startId : parseChangeId(text)
  if (place !== undefined) return place
  throw parameters.invalid(
    `${where} is ${quoted(text)}, which is not an id of this feed; send the last id received, or none`,
  )
}

function hasValues(parameters: Parameters): boolean {
  const values = parameters.text('values')
  if (values === undefined || values === 'true' || values === 'false') return values !== 'false'
  throw parameters.invalid(`values is ${quoted(values)}; give values=false, or none`)
}
