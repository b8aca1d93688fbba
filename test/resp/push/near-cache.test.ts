/**
 * Clients that keep what they read, and drop what is invalidated, have what is published, although commands wait between
 * their reading and their reply, clients are slow or come and go, partitions are filled again, and the store recovers.
 */
import { expect, test } from 'bun:test'
import { RespStats } from '../../../lib/metrics/index.ts'
import { commandLabels, RespContext, type RespStore, Session } from '../../../lib/resp/index.ts'
import { Random } from '../../support/random.ts'
import { command, Push, repliesIn, type Reply } from '../../support/resp/replies.ts'
import { type MapStore, openMapStore } from '../../support/store/map-store.ts'

const partitions = 4
const keyCount = 40
const keyOf = (number: number) => `${number % 2 === 0 ? 'even' : 'odd'} ${number}`
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** What a command asks for; undefined: nothing that is kept. */
type Asked = readonly string[] | undefined

/** A client with a near cache. */
class NearCache {
  readonly held = new Map<string, string | null>()
  readonly counts = { read: 0, invalidated: 0, everything: 0 }
  readonly #context: RespContext
  readonly #mode: readonly string[]
  readonly #asked: Asked[] = []
  #bytes = Buffer.alloc(0)
  /** Memory of what it has not taken. */
  #left = 0
  #session!: Session
  #connections = 0
  #isOpen = false

  constructor(context: RespContext, mode: readonly string[]) {
    this.#context = context
    this.#mode = mode
    this.connect()
  }

  get isIdle(): boolean {
    return this.#asked.length === 0
  }

  connect(): void {
    if (this.#isOpen) this.close()
    this.#isOpen = true
    this.held.clear()
    this.#asked.length = 0
    this.#bytes = Buffer.alloc(0)
    this.#left = 0
    const connection = ++this.#connections
    const take = (bytes: Uint8Array) => {
      if (connection === this.#connections) this.#receive(bytes)
    }
    const left = () => this.#left
    const output = {
      get bytes() {
        return left()
      },
      isClosed: false,
      sendFrom: (page: Uint8Array, length: number) => take(page.slice(0, length)),
      sendOwn: take,
    }
    const ends = { client: 'client', server: 'server' }
    this.#session = new Session(this.#context, { output, ends, onProceeded: () => {} })
    this.#send(undefined, 'HELLO', '3')
    this.#send(undefined, 'CLIENT', 'TRACKING', 'ON', ...this.#mode)
  }

  read(keys: readonly string[]): void {
    if (keys.length === 1) this.#send(keys, 'GET', keys[0]!)
    else this.#send(keys, 'MGET', ...keys)
  }

  /** It takes nothing for some time, or what it has left. */
  setSlow(isSlow: boolean): void {
    this.#left = isSlow ? 20_000 : 0
    if (!isSlow) this.#session.proceed()
  }

  close(): void {
    this.#isOpen = false
    this.#session.close()
  }

  #send(asked: Asked, ...words: string[]): void {
    this.#asked.push(asked)
    this.#session.received(new Uint8Array(command(...words)))
  }

  #receive(bytes: Uint8Array): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    const { replies, rest } = repliesIn(this.#bytes)
    this.#bytes = this.#bytes.subarray(this.#bytes.length - rest)
    for (const reply of replies) this.#take(reply)
  }

  #take(reply: Reply): void {
    if (reply instanceof Push) {
      const keys = reply.parts[1] as string[] | null
      if (keys === null) this.held.clear()
      else for (const key of keys) this.held.delete(key)
      if (keys === null) this.counts.everything++
      else this.counts.invalidated += keys.length
      return
    }
    const asked = this.#asked.shift()
    if (asked === undefined) return
    const values = asked.length === 1 ? [reply] : reply
    // An error, while a partition is filled again.
    if (!Array.isArray(values)) return
    for (const [index, key] of asked.entries()) {
      const value = values[index]
      if (typeof value === 'string' || value === null) this.held.set(key, value)
      this.counts.read++
    }
  }
}

/** Waits now and then, before it reads or after it. */
function slowStore({ store }: MapStore, random: Random): RespStore {
  async function pause(): Promise<void> {
    for (let turns = random.below(4); turns > 0; turns--) await turn()
  }
  async function slowly<Result>(read: () => Result | Promise<Result>): Promise<Result> {
    await pause()
    const result = await read()
    await pause()
    return result
  }
  return {
    presentation: store.presentation,
    changes: {
      get isRecovering() {
        return store.changes.isRecovering
      },
      async watchKeys(ready) {
        for (let turns = random.below(8); turns > 0; turns--) await turn()
        return store.changes.watchKeys(ready)
      },
    },
    get heldPartitions() {
      return store.heldPartitions
    },
    walkMark: store.walkMark,
    get: (key) => (random.below(3) === 0 ? store.get(key) : slowly(() => store.get(key))),
    getMany: (keys, bytesMax) =>
      random.below(3) === 0 ? store.getMany(keys, bytesMax) : slowly(() => store.getMany(keys, bytesMax)),
    readChunk: (position, bounds) => store.readChunk(position, bounds),
    count: () => store.count(),
    status: () => store.status(),
  }
}

test('a near cache has what is published', async () => {
  const random = Random.of('near cache')
  const maps = await openMapStore(partitions, [{ primaries: [0, 2] }, { primaries: [1, 3] }])
  const stats = new RespStats(commandLabels)
  const context = new RespContext(slowStore(maps, random), stats)
  const published = new Map<string, string | null>()
  const modes = [[], ['OPTOUT'], ['BCAST'], ['BCAST', 'PREFIX', 'even', 'PREFIX', 'odd']]
  const caches = [...modes, ...modes].map((mode) => new NearCache(context, mode))
  let offset = 0
  const write = () => {
    const number = random.below(keyCount)
    const value = random.below(4) === 0 ? null : `value ${offset}`
    maps.put(number % partitions, keyOf(number), value, offset++)
    published.set(keyOf(number), value)
  }
  const refill = async (partition: number) => {
    maps.setState(partition, 'recovering')
    for (let number = partition; number < keyCount; number += partitions) {
      maps.putUnrecorded(partition, keyOf(number))
      published.set(keyOf(number), null)
    }
    await maps.publish()
    maps.setState(partition, 'running')
    maps.threads[partition % 2]!.post({ type: 'published', readerThreads: [0] })
  }
  const restart = async () => {
    for (const { post } of maps.threads) post({ type: 'state', state: 'recovering' })
    for (const cache of caches) cache.close()
    for (const cache of caches) cache.connect()
    for (let turns = random.below(4); turns > 0; turns--) await turn()
    for (const { post } of maps.threads) post({ type: 'state', state: 'running' })
    // Before changes are watched.
    for (const cache of caches) cache.read(Array.from({ length: 5 }, () => keyOf(random.below(keyCount))))
    await turn()
    for (let count = random.below(20); count > 0; count--) write()
    await maps.publish()
  }
  for (let epoch = 0; epoch < 60; epoch++) {
    for (let round = 0; round < 40; round++) {
      if (random.below(100) === 0) await restart()
      const cache = random.pick(caches)
      const keys = Array.from({ length: random.pick([1, 1, 3]) }, () => keyOf(random.below(keyCount)))
      cache.read(keys)
      if (random.below(60) === 0) cache.connect()
      if (random.below(10) === 0) cache.setSlow(random.below(2) === 0)
      // Sometimes so many that the ring passes those who watch it.
      for (let count = random.below(random.below(60) === 0 ? 1_500 : 4); count > 0; count--) write()
      if (random.below(2) === 0) await maps.publish()
      if (random.below(300) === 0) await refill(random.below(partitions))
      if (random.below(3) === 0) await turn()
    }
    await maps.publish()
    for (const cache of caches) cache.setSlow(false)
    for (let turns = 0; turns < 60 || caches.some(({ isIdle }) => !isIdle); turns++) await turn()
    const seed = `LATCHKEY_SEED=${random.seed} in epoch ${epoch}`
    for (const { held } of caches) {
      const stale = [...held].filter(([key, value]) => value !== (published.get(key) ?? null))
      expect(stale, seed).toEqual([])
    }
  }
  const sum = (of: keyof NearCache['counts']) => caches.reduce((total, { counts }) => total + counts[of], 0)
  expect(sum('read')).toBeGreaterThan(1_000)
  expect(sum('invalidated')).toBeGreaterThan(500)
  expect(sum('everything')).toBeGreaterThan(0)
  for (const cache of caches) cache.close()
  expect(stats.trackedKeys + stats.trackingClients + maps.store.changes.following).toBe(0)
  expect(context.notifier.queues.bytes).toBe(0)
  await maps.store.close()
})
