/** Keys that are not where the partitioner puts them come into a group that has none so far: none is missing anywhere. */
import { expect, test } from 'bun:test'
import { partitionOf } from '../../lib/map/index.ts'
import { type Embedded, EmbeddedGroup } from '../support/elastic/embedded-group.ts'
import { Fixture } from '../support/store/fixture.ts'

const partitions = 4
/** Beside other test files on a busy machine. */
const withinMs = 120_000

const homeOf = (key: string) => partitionOf(Buffer.from(key), partitions)

/** Returns keys that belong to one partition. */
function keysOf(home: number, name: string, count: number): string[] {
  const keys: string[] = []
  for (let at = 0; keys.length < count; at++) if (homeOf(`${name} ${at}`) === home) keys.push(`${name} ${at}`)
  return keys
}

/** Asks every instance for every key. @returns those that are missing */
async function missingIn(instances: readonly Embedded[], keys: readonly string[]): Promise<string[]> {
  const missing: string[] = []
  for (const { store, url } of instances) {
    for (const key of keys) if ((await store.get(key)) === undefined) missing.push(`${key} at ${url}`)
    const many = await store.getMany(keys)
    missing.push(...keys.filter((_, index) => many[index] === undefined).map((key) => `${key} of many at ${url}`))
  }
  return missing
}

test(
  'the first key of another partitioner is found at every instance as soon as it is visible at one',
  async () => {
    await using fixture = await Fixture.create({ partitions })
    const own = Array.from({ length: 40 }, (_, index) => `key ${index}`)
    await fixture.produce(own.map((key) => ({ key, value: key, partition: homeOf(key) })))
    await using group = await EmbeddedGroup.start(fixture, 3, { standbys: 0 })
    const [a] = group.instances
    // One for each home, all in partition 0, which gets them in one batch.
    const strays = [1, 2, 3].flatMap((home) => keysOf(home, 'stray', 2))
    const offset = own.filter((key) => homeOf(key) === 0).length
    await fixture.produce(strays.map((key) => ({ key, value: key, partition: 0 })))
    await a!.store.waitFor({ partition: 0, offset: offset + strays.length - 1, timeoutMs: 20_000 })
    expect(await missingIn(group.instances, strays)).toEqual([])
    expect(await missingIn(group.instances, own)).toEqual([])
  },
  withinMs,
)

test(
  'what a program writes to a partition of its choice is found at every instance',
  async () => {
    await using fixture = await Fixture.create({ partitions })
    await using group = await EmbeddedGroup.start(fixture, 2)
    for (let round = 0; round < 2; round++) {
      for (let partition = 0; partition < partitions; partition++) {
        const { store } = await group.ownerOf(partition)
        const [key] = keysOf((partition + 1) % partitions, `round ${round} of ${partition}`, 1)
        await store.putToPartition(partition, key!, 'written')
        await store.flush()
        expect(await missingIn(group.instances, [key!])).toEqual([])
      }
    }
  },
  withinMs,
)
