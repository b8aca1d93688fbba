/** Partitions change their roles while stores run: replicas become primaries with nothing read again, and primaries replicas. */
import { expect, test } from 'bun:test'
import type { Store } from '../../lib/store/store.ts'
import { Workload } from '../support/fault-run/workload.ts'
import { Random } from '../support/random.ts'
import { counted, counting } from '../support/store/counted.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = [0, 1, 2, 3]
const handovers = 30

function rolesOf(store: Store): { primaries: number[]; replicas: number[] } {
  const { primary, replicas } = store.status().partitions
  return { primaries: [...primary], replicas: [...replicas] }
}

/** Makes a partition a primary or a replica of a store, and waits until it is. */
async function change(store: Store, partition: number, role: 'primaries' | 'replicas'): Promise<void> {
  const { primaries, replicas } = rolesOf(store)
  const others = (held: readonly number[]) => held.filter((one) => one !== partition)
  const wanted = { primaries: others(primaries), replicas: others(replicas) }
  wanted[role].push(partition)
  store.want(wanted)
  await until(`partition ${partition} is one of the ${role}`, () => {
    if (store.state === 'failed') throw new Error(`the store failed: ${store.status().reason}`)
    return rolesOf(store)[role].includes(partition)
  })
}

async function openBoth(fixture: Fixture, settings = {}): Promise<[Store, Store]> {
  const half = fixture.partitions / 2
  const all = Array.from({ length: fixture.partitions }, (_, partition) => partition)
  const [low, high] = [all.slice(0, half), all.slice(half)]
  const one = fixture.open({ ...settings, partitions: low, partitionsReplica: high })
  const other = fixture.open({ ...settings, partitions: high, partitionsReplica: low })
  for (const store of [one, other]) {
    await store.ready
    await until('the replicas are filled', () => store.status().details.every(({ state }) => state === 'running'))
  }
  return [one, other]
}

/** Reads all keys at a store until stopped. Each value has to be as new as the one before it. */
function watch(store: Store, keys: readonly string[]) {
  const seen = new Map<string, number>()
  const faults: string[] = []
  const stopping = new AbortController()
  let reads = 0
  const run = async () => {
    for (; !stopping.signal.aborted && faults.length === 0; await Bun.sleep(1)) {
      for (const key of keys) {
        const found = await store.get(Buffer.from(key))
        reads++
        if (found === undefined) continue
        if (found.offset < (seen.get(key) ?? -1)) faults.push(`${key}: ${found.offset} after ${seen.get(key)}`)
        seen.set(key, found.offset)
      }
    }
  }
  const running = run().catch((error: unknown) => void faults.push(String(error)))
  return async () => {
    stopping.abort()
    await running
    expect(faults).toEqual([])
    expect(reads).toBeGreaterThan(100)
  }
}

test('counts of updates are exact, and no value gets older, when partitions move between two stores 30 times', async () => {
  await using fixture = await Fixture.create({ partitions: partitions.length })
  const random = Random.of('role changes')
  const { direct } = fixture.cluster.broker
  const workload = new Workload(direct, fixture.source, random, { keys: 60, recordsPerSend: 30 })
  try {
    const stores = await openBoth(fixture, counting)
    const stopped = stores.map((store) => watch(store, workload.keys))
    workload.start()
    for (let handover = 0; handover < handovers; handover++) {
      const partition = random.below(partitions.length)
      const [from, to] = rolesOf(stores[0]).primaries.includes(partition) ? stores : stores.toReversed()
      // An owner gives the partition up, or is fenced while it writes.
      const isGiven = random.below(3) > 0
      if (isGiven) await change(from!, partition, 'replicas')
      await change(to!, partition, 'primaries')
      if (!isGiven) await change(from!, partition, 'replicas')
    }
    await workload.stop()
    const { records, ends } = await fixture.readSource()
    for (const store of stores) {
      const { primaries } = rolesOf(store)
      await until('all is acknowledged', () =>
        store.status().details.every(({ partition, position }) => {
          return !primaries.includes(partition) || (position ?? -1) >= ends.get(partition)!
        }),
      )
      await store.flush()
    }
    for (const stop of stopped) await stop()
    const expected = counted(records)
    const updates = [...expected.values()].map((value) => (JSON.parse(value) as { updates: number }).updates)
    expect(Math.max(...updates)).toBeGreaterThan(5)
    const wrong: string[] = []
    for (const key of workload.keys) {
      const isFirst = rolesOf(stores[0]).primaries.includes(stores[0].partitionOf(Buffer.from(key)))
      const value = await fixture.value(stores[isFirst ? 0 : 1], key)
      if (value !== expected.get(key)) wrong.push(`${key}: ${value}, expected ${expected.get(key)}`)
    }
    expect(wrong).toEqual([])
    for (const store of stores) expect(store.status().conditions.filter(({ ok }) => !ok)).toEqual([])
  } finally {
    await workload.close()
  }
}, 120_000)

test('a copy becomes a primary with nothing read again, and so does the primary that it was before', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce(Array.from({ length: 500 }, (_, i) => ({ key: `key ${i}`, value: 'old', partition: i % 2 })))
  const [one, other] = await openBoth(fixture)
  const read = () => [one, other].map((store) => store.stats.count('recordsRecovered'))
  await until('all is copied', () => [one, other].every((store) => store.status().details.every((d) => d.lag === 0)))
  const before = read()
  for (let round = 0; round < 3; round++) {
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      await change(from, 0, 'replicas')
      await change(to, 0, 'primaries')
    }
  }
  expect(read()).toEqual(before)
  await fixture.produce([{ key: 'key 0', value: 'new', partition: 0 }])
  await until('both show it', async () => {
    return (await fixture.value(one, 'key 0')) === 'new' && (await fixture.value(other, 'key 0')) === 'new'
  })
  expect(read()).toEqual([before[0]!, before[1]! + 1])
  const { records } = await fixture.readChangelog()
  expect(records).toHaveLength(501)
})

test('a write that reaches a partition after it was given up is refused with the reason', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const [one] = await openBoth(fixture)
  await change(one, 0, 'replicas')
  await expect(one.write(Buffer.from('key'), Buffer.from('value'), 0)).rejects.toThrow('partition 0 is a replica here')
})
