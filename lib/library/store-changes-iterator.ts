/** What a program gets of the changes of a store: typed puts and deletions. */
import { schemaWaitMsDefault, withSchemas } from '../definition/schema-wait.ts'
import { LatchkeyError } from '../errors.ts'
import type { StoreView } from '../http/handler.ts'
import { formatChangeId, parseChangeId } from '../store-protocol/change-id.ts'
import type { ChangeEvent, FollowOptions } from '../store-protocol/following.ts'
import type { PartitionState } from '../store-protocol/status.ts'
import { type Found, foundOf } from './found.ts'
import type { TypedCodecs } from './typed-codecs.ts'

const encoder = new TextEncoder()
const begin = 'start'

export interface FollowedChanges<K> {
  /** Only these keys, at most 1,000. */
  readonly keys?: readonly K[]
  /** Only keys that begin with these bytes; a string stands for its UTF-8. */
  readonly prefix?: Uint8Array | string
  readonly partition?: number
  /** `now`, the default: what changes from now on. `start`: all entries, after a `reset`, and then what changes. */
  readonly from?: 'now' | 'start'
  /** A `place` that the iterator has named: what changed after it. If the store does not know that any more: `start`. */
  readonly after?: string
  /** Ends the iterator. */
  readonly signal?: AbortSignal
}

export type StoreChange<K, V> = (
  | { readonly type: 'put'; readonly key: K; readonly found: Found<V> }
  /** @member offset source offset of a deletion; -1 if unknown */
  | { readonly type: 'delete'; readonly key: K; readonly partition: number; readonly offset: number }
  /** A listing of all entries begins: what was received before is no longer valid. */
  | { readonly type: 'reset' }
  /** A partition is served otherwise than before, such as `fenced`. */
  | { readonly type: 'status'; readonly partition: number; readonly state: PartitionState }
) & {
  /** Where to continue after this change, with `after`; only on the last one of several that belong together. */
  readonly place?: string
}

const keysMax = 1_000

export async function* changesOf<K, V>(
  open: () => Pick<StoreView, 'changes'>,
  codecs: TypedCodecs<K, V>,
  { keys, prefix, partition, from = 'now', after, signal }: FollowedChanges<K>,
): AsyncGenerator<StoreChange<K, V>, void> {
  if (keys !== undefined && keys.length > keysMax) {
    const found = `${keys.length} keys are given. Give at most ${keysMax}, or a prefix`
    throw new LatchkeyError('invalid_parameter', `Following changes: ${found}`)
  }
  if (signal?.aborted) return
  const keyBytes = await Promise.all((keys ?? []).map((key) => decoded(() => codecs.keyBytes(key))))
  const options: FollowOptions = {
    ...(keys !== undefined && { keys: keyBytes }),
    ...(prefix !== undefined && { prefix: typeof prefix === 'string' ? encoder.encode(prefix) : prefix }),
    ...(partition !== undefined && { partitions: [partition] }),
    from: after === undefined ? from : placeOf(after),
    withValues: true,
  }
  let wake = Promise.withResolvers<void>()
  const ready = () => wake.resolve()
  const follower = await open().changes.follow(options, ready)
  signal?.addEventListener('abort', ready)
  try {
    for (;;) {
      if (signal?.aborted) return
      wake = Promise.withResolvers()
      const batch = await follower.next()
      if (batch === undefined) {
        await wake.promise
        continue
      }
      const { events, place } = batch
      for (const [index, event] of events.entries()) {
        const change = await decoded(() => typed(event, codecs))
        const isLast = index === events.length - 1 && place !== undefined
        yield isLast ? { ...change, place: place === begin ? begin : formatChangeId(place) } : change
        if (signal?.aborted) return
      }
    }
  } finally {
    signal?.removeEventListener('abort', ready)
    follower.close()
  }
}

function placeOf(text: string): FollowOptions['from'] {
  const place = text === begin ? begin : parseChangeId(text)
  if (place !== undefined) return place
  throw new LatchkeyError('invalid_parameter', 'Following changes: after is not a place that a change has named')
}

function typed<K, V>(event: ChangeEvent, codecs: TypedCodecs<K, V>): StoreChange<K, V> {
  if (event.type === 'put') {
    const { entry } = event
    return { type: 'put', key: codecs.keyOf(entry.key), found: foundOf(entry, codecs.valueOf(entry)) }
  }
  return event.type === 'delete' ? { ...event, key: codecs.keyOf(event.key) } : event
}

function decoded<T>(make: () => T): T | Promise<T> {
  return withSchemas(make, schemaWaitMsDefault)
}
