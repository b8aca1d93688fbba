/** Partitions come and go while stores run: absent, replica, primary and back. */
import { expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isInstance, LatchkeyError } from '../../lib/errors.ts'
import type { Store } from '../../lib/store/store.ts'
import { rebuildingMetadata } from '../../lib/topics/completeness.ts'
import { startKafka } from '../support/kafka/index.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { Random } from '../support/random.ts'
import { counting } from '../support/store/counted.ts'
import { Fixture } from '../support/store/fixture.ts'
import { keyed, snapshotFolder } from '../support/store/snapshots.ts'
import { until } from '../support/until.ts'

interface Held {
  primaries: number[]
  replicas: number[]
}

const elastic = { lingerMs: 20 }
const partitions = 4
const all = Array.from({ length: partitions }, (_, partition) => partition)
const rounds = 4
const refusals = new Set(['partition_not_held', 'replica_recovering'])

function heldBy(store: Store): Held {
  const { primary, replicas } = store.status().partitions
  return { primaries: [...primary], replicas: [...replicas] }
}

/** Has a store hold just these partitions, and waits until it does, with all of them filled. */
async function hold(store: Store, wanted: Held): Promise<void> {
  store.want(wanted)
  await until(`a store holds ${JSON.stringify(wanted)}`, () => {
    if (store.state === 'failed') throw new Error(`the store failed: ${store.status().reason}`)
    if (JSON.stringify(heldBy(store)) !== JSON.stringify(wanted)) return false
    const { details } = store.status()
    const isFilled = details.every(({ state }) => state === 'running')
    return isFilled && details.length === wanted.primaries.length + wanted.replicas.length
  })
}

/** Reads keys that exist, until stopped: each is found or refused with a reason, and none gets older. */
function watch(store: Store, keys: readonly string[]) {
  const seen = new Map<string, number>()
  const faults: string[] = []
  const stopping = new AbortController()
  let found = 0
  const read = async (key: string): Promise<void> => {
    try {
      const lookup = await store.get(Buffer.from(key))
      if (lookup === undefined) return void faults.push(`${key}: not found`)
      found++
      if (lookup.offset < (seen.get(key) ?? -1)) faults.push(`${key}: ${lookup.offset} after ${seen.get(key)}`)
      seen.set(key, lookup.offset)
    } catch (error) {
      if (!isInstance(error, LatchkeyError) || !refusals.has(error.code)) faults.push(`${key}: ${String(error)}`)
    }
  }
  const run = async () => {
    for (; !stopping.signal.aborted && faults.length === 0; await Bun.sleep(1)) for (const key of keys) await read(key)
  }
  const running = run()
  return async () => {
    stopping.abort()
    await running
    expect(faults).toEqual([])
    expect(found).toBeGreaterThan(100)
  }
}

test('partitions are copied, taken, given up and dropped by stores that begin with none', async () => {
  await using fixture = await Fixture.create({ partitions })
  const random = Random.of('elastic partitions')
  const stores = [
    fixture.open({ elastic, ...counting }),
    fixture.open({ elastic, ...counting, storeThreads: 2 }),
  ] as const
  for (const store of stores) await store.ready
  expect(stores.map((store) => store.status().details)).toEqual([[], []])
  const keys = Array.from({ length: 40 }, (_, i) => `key ${i}`)
  const partitionOf = (key: string) => stores[0].partitionOf(Buffer.from(key))
  let updates = -1
  const write = async () => {
    updates++
    const value = JSON.stringify({ n: updates })
    await fixture.produce(keys.map((key) => ({ key, value, partition: partitionOf(key) })))
  }
  await write()
  await hold(stores[0], { primaries: all, replicas: [] })
  await until('all is visible', async () => {
    return (await Promise.all(keys.map((key) => stores[0].get(Buffer.from(key))))).every((found) => found !== undefined)
  })
  const stops = stores.map((store) => watch(store, keys))
  for (let round = 0; round < rounds; round++) {
    // Of each partition: the store that owns it, and whether the other one has a copy.
    const plan = all.map(() => ({ owner: random.below(2), isCopied: random.below(2) === 0 }))
    const wanted = [0, 1].map((index) => ({
      primaries: all.filter((one) => plan[one]!.owner === index),
      replicas: all.filter((one) => plan[one]!.owner !== index && plan[one]!.isCopied),
    }))
    // The next owner has a copy before the present one gives the partition up.
    for (const store of stores) {
      const { primaries } = heldBy(store)
      await hold(store, { primaries, replicas: all.filter((one) => !primaries.includes(one)) })
    }
    await write()
    for (const [index, store] of stores.entries()) {
      const primaries = heldBy(store).primaries.filter((one) => wanted[index]!.primaries.includes(one))
      await hold(store, { primaries, replicas: all.filter((one) => !primaries.includes(one)) })
    }
    for (const [index, store] of stores.entries()) await hold(store, wanted[index]!)
    await write()
  }
  for (const stop of stops) await stop()
  const { ends } = await fixture.readSource()
  const isWritten = ({ role, partition, position }: ReturnType<Store['status']>['details'][number]) =>
    role === 'replica' || (position ?? -1) >= ends.get(partition)!
  await until('all is acknowledged', () => stores.every((store) => store.status().details.every(isWritten)))
  for (const store of stores) await store.flush()
  const wrong: string[] = []
  for (const key of keys) {
    const owner = stores.find((store) => heldBy(store).primaries.includes(partitionOf(key)))!
    const value = await fixture.value(owner, key)
    const expected = JSON.stringify({ n: updates, updates })
    if (value !== expected) wrong.push(`${key}: ${value}, expected ${expected}`)
  }
  expect(wrong).toEqual([])
}, 120_000)

test('a primary that another store takes continues as a copy, and their terms show who owns it', async () => {
  await using fixture = await Fixture.create({ partitions: 1 })
  const [first, second] = [fixture.open({ elastic, ...counting }), fixture.open({ elastic, ...counting })]
  const term = (store: Store) => store.stats.gauge(0, 'term')
  const write = (n: number) => fixture.produce([{ key: 'key', value: JSON.stringify({ n }), partition: 0 }])
  const shows = async (store: Store, updates: number) =>
    until(`update ${updates} is shown`, async () => {
      return (await fixture.value(store, 'key')) === JSON.stringify({ n: updates, updates })
    })
  for (const store of [first, second]) await store.ready
  await write(0)
  await hold(first, { primaries: [0], replicas: [] })
  await hold(second, { primaries: [], replicas: [0] })
  await shows(second, 0)
  await until('the copy has read the marker', () => term(second) >= 0 && term(first) === term(second))
  const before = term(first)
  await hold(second, { primaries: [0], replicas: [] })
  await until('the new owner has a higher term', () => term(second) > before)
  await write(1)
  // The former owner learns of it with what it writes.
  await until('it is a copy', () => JSON.stringify(heldBy(first)) === JSON.stringify({ primaries: [], replicas: [0] }))
  for (const store of [first, second]) await shows(store, 1)
  await until('both know the term', () => term(first) === term(second))
  expect(heldBy(second).primaries).toEqual([0])
  await hold(first, { primaries: [0], replicas: [] })
  await until('it is owner again', () => term(first) > term(second))
}, 60_000)

test('a primary that becomes a copy does not say how far it is behind before a broker has said where the changelog ends', async () => {
  const broker = await startKafka({ proxy: true })
  try {
    await using fixture = await Fixture.create({ broker, partitions: 1 })
    const store = fixture.open({ elastic })
    await store.ready
    await fixture.produce([{ key: 'key', value: 'value', partition: 0 }])
    await hold(store, { primaries: [0], replicas: [] })
    await until('it is shown', async () => (await fixture.value(store, 'key')) === 'value')
    broker.proxy!.hold('responses')
    store.want({ primaries: [], replicas: [0] })
    await until('it is a copy', () => heldBy(store).replicas.length === 1)
    expect(store.status().details[0]).toMatchObject({ role: 'replica', state: 'running', lag: null })
    broker.proxy!.release()
    await until('it knows the end', () => store.status().details[0]?.lag === 0)
  } finally {
    broker.proxy?.release()
    await broker.close()
  }
}, 60_000)

test('a partition that returns begins with its snapshot, and reads what follows', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  using folder = snapshotFolder()
  const store = fixture.open({ elastic, snapshotDir: folder.path, snapshotSeconds: 0.2 })
  const taken = () => store.stats.count('snapshots')
  await fixture.produce(keyed(0, 100, (i) => `value-${i}`).map((one) => ({ ...one, partition: 1 })))
  await store.ready
  await hold(store, { primaries: [1], replicas: [] })
  await until('there is a snapshot of all', () => (store.status().details[0]?.snapshot?.entries ?? 0) === 100)
  await hold(store, { primaries: [], replicas: [] })
  for (const key of ['key-7', 'missing']) expect(() => store.get(Buffer.from(key))).toThrow('does not hold')
  const [read, before] = [store.stats.count('recordsRecovered'), taken()]
  for (const role of ['replicas', 'primaries'] as const) {
    await hold(store, { primaries: [], replicas: [], [role]: [1] })
    expect(store.status().details[0]?.snapshot?.start).toBe('used')
    expect(await fixture.value(store, 'key-7')).toBe('value-7')
    expect(store.stats.count('recordsRecovered')).toBe(read)
    if (role === 'replicas') await hold(store, { primaries: [], replicas: [] })
  }
  await fixture.produce([{ key: 'key-7', value: 'new', partition: 1 }])
  await until('it is shown', async () => (await fixture.value(store, 'key-7')) === 'new')
  await until('snapshots are taken again', () => taken() > before)
})

test('a copy leaves when its primary begins to rebuild, and is read again when that is over', async () => {
  await using fixture = await Fixture.create({ partitions: 1 })
  const folder = temporaryFolder('gate')
  const gate = join(folder, 'open')
  const module = new URL('../support/store/modules/waiting.ts', import.meta.url).href
  const [owner, copy] = [fixture.open({ elastic, module }), fixture.open({ elastic, module })]
  for (const store of [owner, copy]) await store.ready
  await fixture.produce([{ key: 'key', value: 'value', partition: 0 }])
  await hold(owner, { primaries: [0], replicas: [] })
  await until('the key is shown', async () => (await fixture.value(owner, 'key')) === 'value')
  await hold(copy, { primaries: [], replicas: [0] })
  await until('the copy has the key', async () => (await fixture.value(copy, 'key')) === 'value')

  await hold(owner, { primaries: [], replicas: [0] })
  await fixture.produce([{ key: 'gate', value: gate, partition: 0 }])
  await fixture.cluster.commit(fixture.storeId, fixture.source, 0, 1, rebuildingMetadata)
  owner.want({ primaries: [0], replicas: [] })
  const codeOf = async (store: Store) =>
    fixture.value(store, 'key').catch((error: unknown) => (error as LatchkeyError).code)
  await until('the owner rebuilds', async () => (await codeOf(owner)) === 'rebuilding')
  await until('the copy has left', () => heldBy(copy).replicas.length === 0)
  expect(await codeOf(copy)).toBe('partition_not_held')
  expect(await codeOf(owner)).toBe('rebuilding')
  const { results } = await owner.getMany([Buffer.from('key'), Buffer.from('no such key')], 1_000)
  expect(results.map((result) => (result as LatchkeyError).code)).toEqual(['rebuilding', 'rebuilding'])

  writeFileSync(gate, '')
  for (const store of [owner, copy]) {
    await until('the key is shown again', async () => (await codeOf(store)) === 'value')
  }
  expect(heldBy(copy)).toEqual({ primaries: [], replicas: [0] })
  rmSync(folder, { recursive: true })
})
