/**
 * A client that folds what it follows has what the store has, although it disconnects, returns or is slow, and
 * partitions are filled again. The oracle is a plain Map of what was published.
 */
import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { type ChangeId, formatChangeId, parseChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { ChangeEvent, FollowedKeys } from '../../../lib/store-protocol/following.ts'
import type { Follower } from '../../../lib/store/changes/follower.ts'
import { Random } from '../../support/random.ts'
import { type MapStore, openMapStore } from '../../support/store/map-store.ts'

afterEach(() => void setSystemTime())

const threads = [{ primaries: [0, 2] }, { primaries: [1, 3] }]
const partitions = 4
const keysMax = 1_500
const hotKeys = 60
/** So large that few values fit into one portion. */
const largeValue = 'v'.repeat(400_000)

/** Each key belongs to one partition. */
const keyOf = (number: number) =>
  `${number % 3 === 0 ? 'a' : 'b'} key ${number}${number % 7 === 0 ? 'x'.repeat(90) : ''}`
const partitionOf = (number: number) => number % partitions

class Client {
  readonly held = new Map<string, string>()
  /** Highest offset of each key's values: no key goes back. */
  readonly offsets = new Map<string, number>()
  readonly counts = { reset: 0, put: 0, delete: 0, status: 0, resumed: 0 }
  place: ChangeId | 'start' | undefined
  #follower: Follower | undefined
  #isReady = true

  async connect(store: MapStore['store'], filter: FollowedKeys, from: 'now' | 'start' = 'start'): Promise<void> {
    this.#follower?.close()
    this.#isReady = true
    const options = { ...filter, from: this.place ?? from, withValues: true }
    this.#follower = await store.changes.follow(options, () => (this.#isReady = true))
    if (this.#follower.resumed === 'ring') this.counts.resumed++
  }

  /** Takes up to `max` batches. Returns whether there may be more. */
  async take(max: number): Promise<boolean> {
    for (let i = 0; i < max; i++) {
      if (!this.#isReady) return false
      this.#isReady = false
      const batch = await this.#follower!.next()
      if (batch === undefined) return this.#isReady
      this.#isReady = true
      for (const event of batch.events) this.#apply(event)
      // Through its text, as a client names it.
      if (batch.place === 'start') this.place = 'start'
      else if (batch.place !== undefined) this.place = parseChangeId(formatChangeId(batch.place))
    }
    return true
  }

  close(): void {
    this.#follower?.close()
  }

  #apply(event: ChangeEvent): void {
    this.counts[event.type]++
    if (event.type === 'reset') this.held.clear()
    if (event.type === 'put') {
      this.#see(event.entry.key, event.entry.offset)
      this.held.set(textOf(event.entry.key), textOf(event.entry.value))
    }
    // Its offset may be lower than one that was seen: the key was put and deleted again after it.
    if (event.type === 'delete') this.held.delete(textOf(event.key))
  }

  #see(key: Uint8Array, offset: number): void {
    const text = textOf(key)
    if (offset < (this.offsets.get(text) ?? -1)) throw new Error(`${text} goes back to ${offset}`)
    this.offsets.set(text, offset)
  }
}

/** Entries in order, with the beginnings of their values. */
function keyed(entries: Iterable<readonly [string, string]>): string[] {
  return [...entries].map(([key, value]) => `${key.slice(0, 12)}: ${value.slice(0, 12)}`).toSorted()
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

/** Writes at random, and knows what is published. */
class Writer {
  readonly published = new Map<string, string>()
  readonly #waiting = threads.map(() => [] as (readonly [string, string | null])[])
  #offset = 0

  readonly #maps: MapStore
  readonly #random: Random

  constructor(maps: MapStore, random: Random) {
    this.#maps = maps
    this.#random = random
  }

  write(): void {
    const number = this.#random.below(this.#random.below(3) === 0 ? keysMax : hotKeys)
    const text = number % 29 === 0 ? largeValue : 'value'
    const value = this.#random.below(4) === 0 ? null : `${this.#offset} ${text}`
    this.#maps.put(partitionOf(number), keyOf(number), value, this.#offset++)
    this.#waiting[partitionOf(number) % threads.length]!.push([keyOf(number), value])
  }

  async publish(thread: number): Promise<void> {
    const waiting = this.#waiting[thread]!.splice(0)
    const published = this.#maps.publish(thread)
    // Not visible before the next publish.
    for (let count = this.#random.below(4); count > 0; count--) this.write()
    await published
    for (const [key, value] of waiting) {
      if (value === null) this.published.delete(key)
      else this.published.set(key, value)
    }
  }

  /** Makes everything visible that was written. */
  async publishAll(): Promise<void> {
    while (this.#waiting.some((waiting) => waiting.length > 0)) {
      for (let thread = 0; thread < threads.length; thread++) await this.publish(thread)
    }
  }

  /** A partition begins again, as a copy whose changelog has lost records: it is emptied, and reads other records. */
  async refill(partition: number): Promise<void> {
    const maps = this.#maps
    await this.publishAll()
    maps.setState(partition, 'recovering')
    const numbers = Array.from({ length: keysMax }, (_, number) => number).filter(
      (one) => partitionOf(one) === partition,
    )
    for (const number of numbers) {
      maps.putUnrecorded(partition, keyOf(number))
      this.published.delete(keyOf(number))
    }
    await maps.publish()
    maps.beginAgain(partition)
    for (const number of numbers.slice(0, 40)) {
      maps.put(partition, keyOf(number), 'again', this.#offset++)
      this.published.set(keyOf(number), 'again')
    }
    await maps.publish()
    maps.setState(partition, 'running')
    // Places that are named from now on are not taken for places in what was lost.
    setSystemTime(Date.now() + 120_000)
    maps.threads[partition % threads.length]!.post({ type: 'published', readerThreads: [0] })
  }
}

const filters: FollowedKeys[] = [
  {},
  { prefix: Buffer.from('a ') },
  { partition: 1 },
  { keys: [1, 7, 12, 30, 59, 77].map((number) => Buffer.from(keyOf(number))) },
]

function wants({ prefix, partition, keys }: FollowedKeys, key: string): boolean {
  if (keys !== undefined) return keys.some((one) => textOf(one) === key)
  if (partition !== undefined) return partitionOf(Number(/\d+/.exec(key)![0])) === partition
  return prefix === undefined || key.startsWith(textOf(prefix))
}

test('clients that come and go have what is published, and no key goes back', async () => {
  const random = Random.of('followers')
  const maps = await openMapStore(partitions, threads)
  const writer = new Writer(maps, random)
  const clients = [...filters, ...filters].map((filter) => ({ filter, client: new Client() }))
  for (const { client, filter } of clients) await client.connect(maps.store, filter)
  for (let i = 0; i < 2_000; i++) writer.write()
  for (let epoch = 0; epoch < 40; epoch++) {
    for (let round = 0; round < 50; round++) {
      for (let count = random.below(random.below(20) === 0 ? 400 : 6); count > 0; count--) writer.write()
      if (random.below(200) === 0) await writer.refill(random.below(partitions))
      // The second half of the clients is slow.
      const { client, filter } = clients[random.below(random.below(8) === 0 ? clients.length : filters.length)]!
      if (random.below(8) === 0) await client.connect(maps.store, filter)
      const publishing = random.below(2) === 0 ? writer.publish(random.below(threads.length)) : undefined
      await Promise.all([client.take(random.below(4)), publishing])
    }
    await writer.publishAll()
    for (const { client, filter } of clients.slice(0, epoch % 10 === 9 ? clients.length : filters.length)) {
      while (await client.take(100));
      const expected = [...writer.published].filter(([key]) => wants(filter, key))
      const seed = `LATCHKEY_SEED=${random.seed} in epoch ${epoch}`
      expect(keyed(client.held), seed).toEqual(keyed(expected))
    }
  }
  for (const { client } of clients) client.close()
  const sum = (of: keyof Client['counts']) => clients.reduce((total, { client }) => total + client.counts[of], 0)
  const kinds = ['reset', 'put', 'delete', 'resumed'] as const
  expect(kinds.filter((kind) => sum(kind) === 0)).toEqual([])
  expect(maps.store.changes.following).toBe(0)
  await maps.store.close()
})

test('a follower from now on gets what is published after it began, and nothing before', async () => {
  const maps = await openMapStore(partitions, threads)
  maps.put(0, 'published', '1', 1)
  await maps.publish()
  maps.put(0, 'put before', '1', 2)
  const client = new Client()
  const connected = client.connect(maps.store, {}, 'now')
  await connected
  maps.put(1, 'put after', '1', 3)
  await maps.publish()
  await client.take(10)
  expect([...client.held.keys()]).toEqual(['put after'])
  // What was put before is visible since the follower has begun.
  expect(textOf((await maps.store.get(Buffer.from('put before')))!.value)).toBe('1')
  client.close()
  await maps.store.close()
})

test('a place of another changelog, or one that is not reached here, leads to a reset', async () => {
  const maps = await openMapStore(partitions, threads)
  const client = new Client()
  await client.connect(maps.store, {})
  maps.put(0, 'a', '1', 1)
  await maps.publish()
  while (await client.take(10));
  const { topicId, time, positions } = client.place as ChangeId
  expect(client.counts.reset).toBe(1)
  const missing = new Map([...positions].slice(1))
  const beyond = new Map([...positions].map(([partition, position]) => [partition, position + 1]))
  const others = [
    { topicId: 'another', time, positions },
    { topicId, time, positions: missing },
    { topicId, time, positions: beyond },
  ]
  for (const [index, place] of others.entries()) {
    client.place = place
    await client.connect(maps.store, {})
    await client.take(10)
    expect(client.counts.reset).toBe(index + 2)
  }
  client.close()
  await maps.store.close()
})

test('a store that stops ends its followers', async () => {
  const maps = await openMapStore(partitions, threads)
  const client = new Client()
  await client.connect(maps.store, {})
  while (await client.take(10));
  await maps.store.close()
  await expect(client.take(10)).rejects.toMatchObject({ code: 'stopping' })
})

test('a place survives its text, and other texts are no place', () => {
  const random = Random.of('change ids')
  for (let round = 0; round < 200; round++) {
    const positions = new Map<number, number>()
    for (let count = random.below(20); count > 0; count--) positions.set(random.below(40), random.below(2 ** 40))
    const sorted = new Map([...positions].toSorted(([a], [b]) => a - b))
    const id = { topicId: 'b3f-2', time: random.below(2 ** 42), positions: sorted }
    expect(parseChangeId(formatChangeId(id))).toEqual(id)
  }
  const text = formatChangeId({ topicId: 't', time: 5, positions: new Map([[1, 2]]) })
  for (const other of [
    '',
    text.slice(1),
    `2${text.slice(1)}`,
    `${text}~`,
    `${text}.`,
    `${text}.A`,
    '1~~5~1.2',
    '1~t~-5~1.2',
    '1~t~5~1',
    `${text}${'.1'.repeat(2_000)}`,
  ]) {
    expect([other, parseChangeId(other)]).toEqual([other, undefined])
  }
})
