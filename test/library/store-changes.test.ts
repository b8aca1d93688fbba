/** The changes of a store as a program gets them, over Kafka: what it folds is what the store has. */
import { expect, test } from 'bun:test'
import { type FollowedChanges, type KeyValueStore, openStore, type StoreChange } from '../../lib/index.ts'
import { Random } from '../support/random.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

type Bytes = KeyValueStore<Uint8Array | string, Uint8Array>

function open({ source, cluster }: Fixture): Bytes {
  return openStore({ sourceTopic: source, kafkaBrokers: cluster.broker.bootstrap })
}

/** Folds changes until stop(). */
class Reader {
  readonly held = new Map<string, string>()
  readonly counts = { reset: 0, put: 0, delete: 0, status: 0 }
  place: string | undefined
  #abort = new AbortController()
  #reading: Promise<void> | undefined

  start(store: Bytes, options: FollowedChanges<string | Uint8Array>): void {
    this.#abort = new AbortController()
    const changes = store.changes({
      ...options,
      ...(this.place !== undefined && { after: this.place }),
      signal: this.#abort.signal,
    })
    this.#reading = this.#read(changes)
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#reading
  }

  async #read(changes: AsyncIterable<StoreChange<Uint8Array | string, Uint8Array>>): Promise<void> {
    for await (const change of changes) {
      this.counts[change.type]++
      if (change.type === 'reset') this.held.clear()
      if (change.type === 'put') this.held.set(text(change.key), text(change.found.value))
      if (change.type === 'delete') this.held.delete(text(change.key))
      this.place = change.place ?? this.place
    }
  }
}

function text(bytes: Uint8Array | string): string {
  return Buffer.from(bytes as Uint8Array).toString()
}

test('a program that folds the changes has what the store has, over its own restarts and those of the store', async () => {
  const random = Random.of('changes')
  await using fixture = await Fixture.create({ partitions: 3 })
  const produced = new Map<string, string>()
  const produce = async (count: number) => {
    const messages = Array.from({ length: count }, (_, index) => {
      const number = random.below(100)
      const value = random.below(4) === 0 ? null : `${index} ${random.below(1_000)}`
      if (value === null) produced.delete(`key ${number}`)
      else produced.set(`key ${number}`, value)
      return { key: `key ${number}`, value, partition: number % 3 }
    })
    await fixture.produce(messages)
  }
  let store = open(fixture)
  await store.ready
  const reader = new Reader()
  let resets: number | undefined
  for (let round = 0; round < 24; round++) {
    if (reader.place !== undefined && reader.place !== 'start') resets ??= reader.counts.reset
    if (round % 8 === 5) {
      await reader.stop()
      await store.close()
      await produce(200)
      store = open(fixture)
      await store.ready
    }
    reader.start(store, { from: 'start' })
    await produce(random.below(300))
    if (random.below(2) === 0) await reader.stop()
    await produce(random.below(300))
    await reader.stop()
  }
  reader.start(store, { from: 'start' })
  const sorted = (entries: Iterable<readonly [string, string]>) => [...entries].toSorted()
  await until('it has everything', () => Bun.deepEquals(sorted(reader.held), sorted(produced))).catch(() => {})
  expect(sorted(reader.held), `LATCHKEY_SEED=${random.seed}`).toEqual(sorted(produced))
  // Only beginnings within a listing reset; the others find everything in the ring or in the changelog.
  expect(reader.counts.reset).toBe(resets!)
  expect(reader.counts.delete).toBeGreaterThan(0)
  await reader.stop()
  await store.close()
}, 60_000)

test('keys, prefixes and partitions are followed from now on, and what is no place is refused', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce([{ key: 'a1', value: 'before' }])
  await using store = open(fixture)
  await store.ready
  const readers = [{ keys: ['a1', 'b1'] }, { prefix: 'a' }, { partition: 1 }].map((options) => {
    const reader = new Reader()
    reader.start(store, options)
    return reader
  })
  await until('they follow', () => store.bytes.changes.following === 3)
  const messages = [
    { key: 'a1', value: '1' },
    { key: 'a2', value: '2', partition: 1 },
    { key: 'b1', value: '3', partition: 1 },
    { key: 'c1', value: '4' },
  ]
  await fixture.produce(messages)
  const keys = () => readers.map(({ held }) => [...held.keys()].toSorted())
  const expected = [
    ['a1', 'b1'],
    ['a1', 'a2'],
    ['a2', 'b1'],
  ]
  await until('they have what they want', () => Bun.deepEquals(keys(), expected)).catch(() => {})
  expect(keys()).toEqual(expected)
  await Promise.all(readers.map((reader) => reader.stop()))
  expect(store.bytes.changes.following).toBe(0)
  const codes = [{ after: 'nowhere' }, { partition: 7 }, { keys: Array.from({ length: 1_001 }, () => 'a') }].map(
    (options) =>
      store
        .changes(options)
        .next()
        .then(
          () => undefined,
          ({ code }: { code: string }) => code,
        ),
  )
  expect(await Promise.all(codes)).toEqual(['invalid_parameter', 'invalid_parameter', 'invalid_parameter'])
})
