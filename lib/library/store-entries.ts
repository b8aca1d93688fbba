/** Several entries of a store at once, typed. */
import { setImmediate } from 'node:timers/promises'
import { schemaWaitMsDefault, withSchemas } from '../definition/schema-wait.ts'
import { LatchkeyError } from '../errors.ts'
import { type KeyedLookup, type StoreReads, type WalkPosition, withoutNotFound } from '../store-protocol/reads.ts'
import { type Found, foundOf } from './found.ts'
import type { TypedCodecs } from './typed-codecs.ts'

/** An entry of a store: key, value and origin. */
export interface StoreEntry<K, V> extends Found<V> {
  readonly key: K
}

export interface EntriesOptions {
  /** Only keys whose stored bytes begin with these; a string stands for its UTF-8. */
  readonly prefix?: string | Uint8Array
  /** Maximum number of entries; all by default. */
  readonly limit?: number
}

/** Entries that are read at once, and held until the program has taken them. */
const chunkEntries = 256

const encoder = new TextEncoder()

/** @throws LatchkeyError of the first key that is not known here; as a rejection */
export async function valuesOf<K, V>(
  store: StoreReads,
  codecs: TypedCodecs<K, V>,
  keys: readonly K[],
): Promise<(V | undefined)[]> {
  const bytes = await Promise.all(keys.map((key) => withSchemas(() => codecs.keyBytes(key), schemaWaitMsDefault)))
  const results = withoutNotFound(await store.getMany(bytes, Infinity))
  for (const result of results) if (result instanceof LatchkeyError) throw result
  const found = results as readonly Exclude<(typeof results)[number], LatchkeyError>[]
  return Promise.all(found.map((lookup) => lookup && withSchemas(() => codecs.valueOf(lookup), schemaWaitMsDefault)))
}

export async function* entriesOf<K, V>(
  open: () => StoreReads,
  codecs: TypedCodecs<K, V>,
  { prefix, limit = Infinity }: EntriesOptions,
): AsyncGenerator<StoreEntry<K, V>, void> {
  const store = open()
  const prefixBytes = typeof prefix === 'string' ? encoder.encode(prefix) : prefix
  let position: WalkPosition | undefined = partitionFrom(store, 0)
  for (let left = limit; position !== undefined && left > 0;) {
    const chunk = await store.readChunk(position, {
      limit: Math.min(left, chunkEntries),
      withValues: true,
      ...(prefixBytes && { prefix: prefixBytes }),
    })
    for (const entry of chunk.entries) {
      if (left-- <= 0) return
      yield await withSchemas(() => typed(entry, codecs), schemaWaitMsDefault)
    }
    position = chunk.next ?? partitionFrom(store, position.partition + 1)
    // A walk over memory alone would keep the program from everything else.
    await setImmediate()
  }
}

function typed<K, V>(entry: KeyedLookup, codecs: TypedCodecs<K, V>): StoreEntry<K, V> {
  return { key: codecs.keyOf(entry.key), ...foundOf(entry, codecs.valueOf(entry)) }
}

function partitionFrom({ heldPartitions }: StoreReads, least: number): WalkPosition | undefined {
  const partition = heldPartitions.find((held) => held >= least)
  return partition === undefined ? undefined : { partition, hash: 0 }
}
