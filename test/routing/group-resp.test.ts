/** The Redis protocol in a group: commands reach all partitions. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { RespStore } from '../../lib/resp/index.ts'
import { command } from '../support/resp/replies.ts'
import { Talk } from '../support/resp/talk.ts'
import { keyIn } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'

type Node = Instance<FakeEntries>

let nodes: Node[]
let talks: Talk<RespStore>[]

beforeEach(() => {
  nodes = ['a', 'b', 'c'].map((name) => startInstanceOf(name, new FakeEntries(`mark-${name}`)))
  plan(nodes, [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
    ['c', 'b'],
  ])
  talks = nodes.map(({ routing }) => new Talk<RespStore>({}, routing.store))
})

afterEach(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
})

function fill(count: number): string[] {
  const keys = Array.from({ length: count }, (_, index) => `key ${index}`)
  for (const { store } of nodes) for (const key of keys) store.records.set(key, `value of ${key}`)
  return keys
}

async function scan(between: (turn: number) => void = () => {}): Promise<{ keys: string[]; cursors: string[] }> {
  const keys: string[] = []
  const cursors = ['0']
  do {
    const [next, found] = (await talks[0]!.ask('SCAN', cursors.at(-1)!, 'COUNT', '7')) as [string, string[]]
    keys.push(...found)
    cursors.push(next)
    between(cursors.length)
  } while (cursors.at(-1) !== '0')
  return { keys, cursors }
}

test('INFO counts the keys of the group, as DBSIZE does, once in a second', async () => {
  fill(30)
  const keys = await talks[0]!.ask('DBSIZE')
  for (const talk of talks) expect(String(await talk.ask('INFO', 'keyspace'))).toContain(`db0:keys=${String(keys)},`)
  for (const { store } of nodes) store.records.clear()
  expect(String(await talks[0]!.ask('INFO'))).toContain(`db0:keys=${String(keys)},`)
  // What waits for other instances does not come behind later replies.
  const bytes = Buffer.concat([command('INFO', 'keyspace'), command('PING')])
  expect(await new Talk<RespStore>({}, nodes[1]!.routing.store).all(bytes)).toEqual([expect.any(String), 'PONG'])
})

test('INFO answers without a count while an instance of the group does not', async () => {
  plan(nodes, [['a'], ['b'], ['c'], []])
  const text = String(await new Talk<RespStore>({}, nodes[0]!.routing.store).ask('INFO'))
  expect(text).toContain('redis_version')
  expect(text).toEndWith('# Keyspace\r\n')
})

test('GET, MGET and EXISTS find keys of all instances, and know which do not exist', async () => {
  fill(30)
  for (const talk of talks) {
    for (const partition of [0, 1, 2, 3]) {
      const key = keyIn(partition, 'key ')
      expect(await talk.ask('GET', key)).toBe(`value of ${key}`)
      expect(await talk.ask('GET', keyIn(partition, 'none'))).toBeNull()
      expect(await talk.ask('STRLEN', keyIn(partition, 'none'))).toBe(0)
      expect(await talk.ask('TYPE', keyIn(partition, 'none'))).toBe('none')
    }
    const mixed = ['key 1', 'none', 'key 2', 'key 1']
    expect(await talk.ask('MGET', ...mixed)).toEqual(['value of key 1', null, 'value of key 2', 'value of key 1'])
    expect(await talk.ask('EXISTS', ...mixed)).toBe(3)
    expect(await talk.ask('DBSIZE')).toBe(30)
  }
})

test('SCAN returns each key once, with cursors that clients keep exactly', async () => {
  const keys = fill(100)
  const { keys: found, cursors } = await scan()
  expect(found.toSorted()).toEqual(keys.toSorted())
  expect(Math.max(...cursors.map(Number))).toBeLessThan(2 ** 53)
  expect(((await talks[1]!.ask('KEYS', '*')) as string[]).toSorted()).toEqual(keys.toSorted())
})

test('SCAN leaves out no key of a partition that moves', async () => {
  const keys = fill(200)
  const { keys: found } = await scan((turn) => {
    if (turn === 4) plan(nodes, [['b'], ['c'], ['a'], ['a']])
    if (turn === 20) plan(nodes, [['c'], ['a'], ['b'], ['b']])
  })
  expect([...new Set(found)].toSorted()).toEqual(keys.toSorted())
})

test('KEYS names each key once, although a partition is begun again', async () => {
  const keys = fill(600)
  const { store } = nodes[2]!
  store.beforeRead = () => {
    if (store.chunks === 1) plan(nodes, [['a'], ['b'], ['b'], ['a']])
  }
  expect(((await talks[0]!.ask('KEYS', '*')) as string[]).toSorted()).toEqual(keys.toSorted())
})

test('changes of all instances are notified', async () => {
  expect(await talks[0]!.ask('SUBSCRIBE', '__keyevent@0__:set')).toEqual(['subscribe', '__keyevent@0__:set', 1])
  const followers = () => nodes.flatMap(({ store }) => store.changes.followers)
  expect(
    followers()
      .flatMap(({ options }) => options.partitions)
      .toSorted(),
  ).toEqual([0, 1, 2, 3])
})
