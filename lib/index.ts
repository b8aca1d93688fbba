/**
 * Latchkey as a library: a store inside another program, with or without HTTP.
 * @example
 * import { openStore, serve } from 'latchkey'
 *
 * await using store = openStore({ sourceTopic: 'orders', kafkaBrokers: 'localhost:9092' })
 * await store.ready
 * Bun.serve({ port: 8080, fetch: serve(store) })
 */
import { version } from '../package.json' with { type: 'json' }
import { createHandler, factsOf, type Handler, type HandlerOptions } from './http/handler.ts'
import type { KeyValueStore } from './library/key-value-store.ts'

export * from './definition/module-exports.ts'
export { type ErrorCode, LatchkeyError } from './errors.ts'
export { type Codec, type Json, SchemaPending } from './format/codec.ts'
export { type Handler } from './http/handler.ts'
export { type Metrics } from './metrics/index.ts'
export {
  type Condition,
  type PartitionState,
  type PartitionStatus,
  type RecoveryProgress,
  type StoreState,
  type StoreStatus,
} from './store-protocol/status.ts'
export { type Found } from './library/found.ts'
export { type EntriesOptions, type StoreEntry } from './library/store-entries.ts'
export { type FollowedChanges, type StoreChange } from './library/store-changes-iterator.ts'
export { type KeptHeader } from './store-protocol/header-prefix.ts'
export { type KeyValueStore } from './library/key-value-store.ts'
export { type FormatName, type KafkaProperties, type OpenOptions } from './library/open-options.ts'
export { openStore } from './library/open.ts'
export { type StoreReader } from './library/store-reader.ts'

export type ServeOptions = Omit<HandlerOptions, 'group'>

/**
 * Returns all routes of a store (`GET /stores/<id>/<key>` and the others) as one function, for the `fetch` of your
 * Bun.serve, after your own routes. It answers immediately, even while the store recovers. Errors are responses:
 * problem+json with a `code`. An unknown path is 404. The server is responsible for limits on connections and bodies,
 * and for the allowed Hosts. With `elastic` the store joins its group now: give all instances the same `token`, and let
 * the server answer at `advertisedUrl` until close() has resolved.
 */
export function serve<K, V>(store: KeyValueStore<K, V>, options: ServeOptions = {}): Handler {
  const { metrics, lookupStats, bytes } = store
  const observed = { metrics, lookupStats, facts: factsOf(version) }
  const routing = store.group?.join(bytes, options.token, lookupStats)
  if (routing === undefined) return createHandler(bytes, options, observed)
  return createHandler(routing.store, { ...options, group: routing.requests }, observed)
}
