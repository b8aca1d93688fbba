/**
 * A client that folds what it follows has what the store has, although it disconnects, returns or is slow, and
 * partitions are filled again. The oracle is a plain Map of what was published.
 */
import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { type ChangeId, formatChangeId, parseChangeId } from '../../../lib/store-protocol/change-id.ts'
import type { FollowedKeys } from '../../../lib/store-protocol/following.ts'
import { Random } from '../../support/random.ts'
import { FollowingClient as Client, textOf } from '../../support/store/followers/client.ts'
import { keyOf, World } from '../../support/store/followers/world.ts'
import { openMapStore } from '../../support/store/map-store.ts'

afterEach(() => void setSystemTime())

const threads = [{ primaries: [0, 2] }, { primaries: [1, 3] }]
const partitions = 4

/** Entries in order, with the beginnings of their values. */
function keyed(entries: Iterable<readonly [string, string]>): string[] {
  return [...entries].map(([key, value]) => `${key.slice(0, 12)}: ${value.slice(0, 12)}`).toSorted()
}

const filters: FollowedKeys[] = [
  {},
  { prefix: Buffer.from('a ') },
  { partitions: [1] },
  { partitions: [0, 3] },
  { keys: [1, 7, 12, 30, 59, 77].map((number) => Buffer.from(keyOf(number))) },
]

function wants(world: World, { prefix, partitions: wanted, keys }: FollowedKeys, key: string): boolean {
  if (keys !== undefined) return keys.some((one) => textOf(one) === key)
  if (wanted !== undefined) return wanted.includes(world.partitionOf(Number(/\d+/.exec(key)![0])))
  return prefix === undefined || key.startsWith(textOf(prefix))
}

test('clients that come and go have what is published, and no key goes back', async () => {
  const random = Random.of('followers')
  const world = new World(random)
  await world.open()
  const clients = [...filters, ...filters].map((filter) => ({ filter, client: new Client(random) }))
  const connect = async ({ client, filter }: (typeof clients)[number]) => {
    const instance = random.below(3) === 0 ? 'copy' : 'primary'
    const connecting = client.connect(world[instance].store, filter, 'start', instance)
    // A follower that begins flushes: these are not visible with it.
    for (let count = random.below(3); count > 0; count--) world.write()
    await connecting
  }
  for (const one of clients) await connect(one)
  for (let i = 0; i < 2_000; i++) world.write()
  for (let epoch = 0; epoch < 16; epoch++) {
    if (epoch === 10) await world.grow()
    for (let round = 0; round < 50; round++) {
      for (let count = random.below(random.below(20) === 0 ? 400 : 6); count > 0; count--) world.write()
      const event = random.below(200)
      if (event < 3) await world.refill(random.below(partitions))
      if (event === 3 || event === 4) await world.compact()
      if (event > 3 && event < 12) {
        if (event % 2 === 0) await world.restart()
        else await world.restartCopy()
        for (const one of clients) await connect(one)
      }
      if (event % 4 === 0) await world.follow()
      // The second half of the clients is slow.
      const one = clients[random.below(random.below(8) === 0 ? clients.length : filters.length)]!
      if (random.below(20) === 0) {
        one.client.kill()
        await connect(one)
      } else if (random.below(8) === 0) await connect(one)
      const publishing = random.below(2) === 0 ? world.publish(random.below(threads.length)) : undefined
      await Promise.all([one.client.take(random.below(4)), publishing])
    }
    await world.publishAll()
    for (const { client, filter } of clients.slice(0, epoch % 5 === 4 ? clients.length : filters.length)) {
      await client.settle(() => world.changelog.isIdle)
      const expected = [...world.published].filter(([key]) => wants(world, filter, key))
      const seed = `LATCHKEY_SEED=${random.seed} in epoch ${epoch}`
      expect(keyed(client.held), seed).toEqual(keyed(expected))
    }
  }
  for (const { client } of clients) client.close()
  const sum = (of: keyof Client['counts']) => clients.reduce((total, { client }) => total + client.counts[of], 0)
  const kinds = ['reset', 'put', 'delete', 'ring', 'changelog'] as const
  expect(kinds.filter((kind) => sum(kind) === 0)).toEqual([])
  expect([world.primary.store.changes.following, world.copy.store.changes.following]).toEqual([0, 0])
  await world.close()
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
  await client.settle(() => maps.changelog.isIdle)
  const { topicId, time, positions } = client.place as ChangeId
  expect(client.counts.reset).toBe(1)
  const missing = new Map([...positions].slice(1))
  const beyond = new Map([...positions].map(([partition, position]) => [partition, position + 1]))
  const others = [
    { topicId: 'another', time, positions },
    { topicId: '', time, positions },
    { topicId, time, positions: missing },
    { topicId, time, positions: beyond },
  ]
  for (const [index, place] of others.entries()) {
    client.place = place
    await client.connect(maps.store, {})
    await client.settle(() => maps.changelog.isIdle)
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
    const id = { topicId: random.below(9) === 0 ? '' : 'b3f-2', time: random.below(2 ** 42), positions: sorted }
    expect(parseChangeId(formatChangeId(id))).toEqual(id)
  }
  const text = formatChangeId({ topicId: 't', time: 5, positions: new Map([[1, 2]]) })
  for (const other of [
    '',
    text.slice(1),
    `${text}~`,
    `${text}.`,
    `${text}.A`,
    '1~t~-5~1.2',
    '1~t~5~1',
    `${text}${'.1'.repeat(2_000)}`,
  ]) {
    expect([other, parseChangeId(other)]).toEqual([other, undefined])
  }
  // A later version may have other parts. Its places are not continued: a stream begins with a reset.
  const unknown = { topicId: '', time: 0, positions: new Map() }
  for (const later of [`2${text.slice(1)}`, '10~t', '2~t~x~y~z']) expect(parseChangeId(later)).toEqual(unknown)
})
