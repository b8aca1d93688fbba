/** Several entries through the library, over a store whose maps are written here. */
import { describe, expect, test } from 'bun:test'
import { definitionOfFormats } from '../../lib/definition/index.ts'
import type { StoreEntry } from '../../lib/index.ts'
import { KeyValueStore } from '../../lib/library/key-value-store.ts'
import { TypedCodecs } from '../../lib/library/typed-codecs.ts'
import { openMapStore } from '../support/store/map-store.ts'

const json = { format: 'json' } as const
const formats = { key: { format: 'utf8' }, value: json, store: json } as const

async function open(threads: Parameters<typeof openMapStore>[1] = [{ primaries: [0, 1] }], settings = {}) {
  const maps = await openMapStore(2, threads, settings)
  const codecs = new TypedCodecs<string, { n: number }>(definitionOfFormats(formats))
  return { ...maps, typed: new KeyValueStore<string, { n: number }>(maps.store, codecs) }
}

async function all<K, V>(entries: AsyncIterable<StoreEntry<K, V>>): Promise<StoreEntry<K, V>[]> {
  const found: StoreEntry<K, V>[] = []
  for await (const entry of entries) found.push(entry)
  return found
}

/** Writes so many entries: to the partition of their key, since lookups say otherwise which is not held. */
function fill({ put, store }: Awaited<ReturnType<typeof open>>, count: number): string[] {
  const keys = Array.from({ length: count }, (_, index) => `key-${index}`)
  for (const [index, key] of keys.entries()) put(store.partitionOf(Buffer.from(key)), key, `{"n":${index}}`, index)
  return keys
}

describe('getMany', () => {
  test('values are in the order of their keys, and undefined without one', async () => {
    const opened = await open([{ primaries: [0] }, { primaries: [1] }])
    fill(opened, 20)
    await opened.publish()
    expect(await opened.typed.getMany(['key-7', 'none', 'key-0', 'key-7'])).toEqual([
      { n: 7 },
      undefined,
      { n: 0 },
      { n: 7 },
    ])
    expect(await opened.typed.getMany([])).toEqual([])
  })

  test('it rejects when a key is not known here', async () => {
    const opened = await open([{ primaries: [0] }], { PARTITIONS: '0' })
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
    const failure = opened.typed.getMany(keys).catch((error: { code: string }) => error.code)
    expect(await failure).toBe('partition_not_held')
  })
})

describe('entries', () => {
  test('each entry comes once, in full', async () => {
    const opened = await open()
    const keys = fill(opened, 1_000)
    await opened.publish()
    const entries = await all(opened.typed.entries())
    expect(entries.map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
    const entry = entries.find(({ key }) => key === 'key-7')
    expect(entry).toMatchObject({ key: 'key-7', value: { n: 7 }, offset: 7, headers: [] })
  })

  test('prefix and limit are kept', async () => {
    const opened = await open()
    fill(opened, 1_000)
    await opened.publish()
    expect(await all(opened.typed.entries({ prefix: 'key-99' }))).toHaveLength(11)
    expect(await all(opened.typed.entries({ prefix: Buffer.from('key-99'), limit: 3 }))).toHaveLength(3)
    expect(await all(opened.typed.entries({ limit: 0 }))).toEqual([])
  })

  test('others get their turn, and a loop may be left', async () => {
    const opened = await open()
    fill(opened, 1_000)
    await opened.publish()
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    let seen = 0
    for await (const { value } of opened.typed.entries()) {
      expect(value.n).toBeLessThan(1_000)
      if (++seen === 900) break
    }
    clearInterval(timer)
    expect(seen).toBe(900)
    expect(turns).toBeGreaterThan(0)
  })
})
