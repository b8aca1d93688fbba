/** Feeds of a group: each concerns partitions of several instances, and continues where they move. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { ChangeId } from '../../lib/store-protocol/change-id.ts'
import type { ChangeBatch, ChangeEvent } from '../../lib/store-protocol/following.ts'
import { problemOf } from '../support/http/fake-store.ts'
import type { FakeFollower } from '../support/http/fake-waits.ts'
import { keyIn } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { GroupFollower } from '../support/routing/group-follower.ts'
import { announce, type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

type Node = Instance<FakeEntries>

let nodes: Node[]
let a: Node
let b: Node
let c: Node

beforeEach(() => {
  const limits = { feeds: { openMs: 300, unservedMs: 1_000, expiryMs: 500 } }
  nodes = ['a', 'b', 'c'].map((name) => startInstanceOf(name, new FakeEntries(`mark-${name}`), limits))
  ;[a, b, c] = nodes as [Node, Node, Node]
  for (const { store } of nodes) for (const partition of [0, 1, 2, 3]) store.visible(partition, 1_000)
  plan(nodes, [['a'], ['b'], ['b', 'c'], ['c']])
})

afterEach(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
})

const changesOf = ({ routing }: Node) => routing.store.changes
const bytes = (text: string) => new TextEncoder().encode(text)

function placeAt(positions: Record<number, number>): ChangeId {
  const entries = Object.entries(positions).map(([partition, at]) => [Number(partition), at] as const)
  return { topicId: 'topic', time: 1_700_000_000_000, positions: new Map(entries) }
}

function put(partition: number, value: string, offset = 1, name = 'key'): ChangeEvent {
  const entry = { key: bytes(keyIn(partition, name)), value: bytes(value), partition, offset, timestamp: 9 }
  return { type: 'put', entry }
}

/** The followers that are open at an instance, for a partition. */
function followersOf({ store }: Node, partition: number): FakeFollower[] {
  return store.changes.followers.filter((one) => !one.isClosed && one.options.partitions!.includes(partition))
}

function give(node: Node, partition: number, value: string, offset: number): void {
  for (const follower of followersOf(node, partition)) {
    const { positions } = follower.place!
    follower.place = placeAt({ ...Object.fromEntries(positions), [partition]: offset })
    follower.give({ events: [put(partition, value, offset)], place: follower.place })
  }
}

/** Gives partitions to others, which changes the states of some. */
function move(holders: Parameters<typeof plan>[1]): void {
  plan(nodes, holders)
  for (const { store } of nodes) for (const follower of store.changes.followers) follower.wake()
}

async function served(node: Node, partition: number): Promise<void> {
  await until(`partition ${partition} to be served by ${node.name}`, () => followersOf(node, partition).length > 0)
}

test('a feed has the changes of all partitions, wherever they are', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  const holders = [a, b, b, c]
  for (const [partition, holder] of holders.entries()) give(holder, partition, `value ${partition}`, 1)
  await until('all have come', () => feed.events.length === 4)
  for (const partition of [0, 1, 2, 3]) {
    expect(feed.of(keyIn(partition))).toEqual([`put ${keyIn(partition)} value ${partition}`])
  }
  expect((feed.place as ChangeId).positions).toEqual(new Map([0, 1, 2, 3].map((partition) => [partition, 1])))
  // Each instance serves its partitions by one follower.
  expect(nodes.map(({ store }) => store.changes.followers.length)).toEqual([1, 1, 1])
  feed.close()
  await until('they have ended', () => nodes.every(({ store }) => store.changes.followers.every((one) => one.isClosed)))
})

test('what is held here is served here, and nothing is asked of others', async () => {
  plan(nodes, [['b', 'a'], ['b'], ['b'], ['c']])
  const feed = await GroupFollower.open(changesOf(a), { partitions: [0] })
  expect(followersOf(a, 0)).toHaveLength(1)
  expect(b.store.changes.followers).toHaveLength(0)
  feed.close()
})

test('only what is wanted travels: keys, a prefix, partitions, and no values if there are none', async () => {
  const keys = [1, 2].map((partition) => bytes(keyIn(partition)))
  const byKeys = await GroupFollower.open(changesOf(a), { keys, withValues: false })
  const byPrefix = await GroupFollower.open(changesOf(a), { prefix: bytes('k'), partitions: [3] })
  expect(b.store.changes.followers.map(({ options }) => options)).toEqual([
    { keys: keys.map((key) => Buffer.from(key)), partitions: [1, 2], from: 'now', withValues: false } as never,
  ])
  expect(c.store.changes.followers.map(({ options }) => options)).toEqual([
    { prefix: Buffer.from('k'), partitions: [3], from: 'now', withValues: true } as never,
  ])
  byKeys.close()
  byPrefix.close()
})

test('keys may be in all partitions once some are not where the partitioner puts them: the feed begins again', async () => {
  const feed = await GroupFollower.open(changesOf(a), { keys: [bytes(keyIn(1))] })
  expect(feed.events).toEqual([])
  announce(nodes, [['a'], ['b'], ['b', 'c'], ['c']], [], { hasStrangers: true })
  for (const [partition, holder] of [a, b, b, c].entries()) await served(holder, partition)
  await until('it begins again', () => feed.events.length > 0)
  expect(feed.events).toEqual(['reset'])
  feed.close()
})

test('a feed that is opened while its partitions become more has the new ones', async () => {
  // Roles have been compared for the first time, which has feeds look at their partitions, too.
  await Bun.sleep(100)
  const opening = Promise.withResolvers<void>()
  let asked = 0
  b.store.changes.onFollow = () => (asked++, opening.promise)
  const opened = GroupFollower.open(changesOf(a), { keys: [bytes(keyIn(1))] })
  await until('it is asked for', () => asked > 0)
  announce(nodes, [['a'], ['b'], ['b', 'c'], ['c']], [], { hasStrangers: true })
  opening.resolve()
  const feed = await opened
  for (const [partition, holder] of [a, b, b, c].entries()) await served(holder, partition)
  feed.close()
})

test('a part continues at another copy after its place, and no key goes back', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  give(b, 2, 'first', 5)
  await until('it has come', () => feed.events.length === 1)
  // This copy does not show yet what the client has.
  c.store.visible(2, 5)
  move([['a'], ['b'], ['c'], ['c']])
  await until('b has ended', () => followersOf(b, 2).length === 0)
  await served(b, 1)
  expect(followersOf(c, 2)).toHaveLength(0)
  c.store.visible(2, 6)
  await served(c, 2)
  expect(followersOf(c, 2)[0]!.options.from).toEqual(placeAt({ 2: 5 }))
  give(c, 2, 'second', 6)
  await until('it continues', () => feed.of(keyIn(2)).length === 2)
  expect(feed.events).toEqual([`put ${keyIn(2)} first`, `put ${keyIn(2)} second`])
  feed.close()
})

test('what moves here is served here', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  give(b, 1, 'there', 3)
  await until('it has come', () => feed.events.length === 1)
  move([['a'], ['a'], ['b', 'c'], ['c']])
  await served(a, 1)
  expect(followersOf(a, 1)[0]!.options.from).toEqual(placeAt({ 1: 3 }))
  give(a, 1, 'here', 4)
  await until('it continues', () => feed.events.length === 2)
  feed.close()
})

test('what leaves this instance is served where it is then, and a batch that may lack some of it is not shown', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  give(a, 0, 'here', 3)
  await until('it has come', () => feed.events.length === 1)
  const [follower] = followersOf(a, 0)
  // It leaves while the batch is made.
  follower!.next = async () => {
    move([['b'], ['b'], ['b', 'c'], ['c']])
    return { events: [put(0, 'incomplete', 4)], place: placeAt({ 0: 9 }) }
  }
  follower!.wake()
  await until('it is served by b', () => followersOf(b, 0).some(({ options }) => options.from !== 'now'))
  expect(followersOf(b, 0)[0]!.options.from).toEqual(placeAt({ 0: 3 }))
  give(b, 0, 'there', 4)
  await until('it continues', () => feed.events.length === 2)
  expect(feed.events).toEqual([`put ${keyIn(0)} here`, `put ${keyIn(0)} there`])
  feed.close()
})

test('an instance that ends is replaced by another copy', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  plan(nodes, [['a'], ['b', 'c'], ['b', 'c'], ['c']])
  give(b, 2, 'first', 5)
  await until('it has come', () => feed.events.length === 1)
  await b.server.stop(0)
  await served(c, 1)
  await served(c, 2)
  expect(followersOf(c, 2).at(-1)!.options.from).toEqual(placeAt({ 2: 5 }))
  give(c, 2, 'second', 6)
  await until('it continues', () => feed.events.length === 2)
  feed.close()
})

test('a feed that no instance serves is refused, or ends, with what each has said', async () => {
  plan(nodes, [['a'], ['b'], [], ['c']])
  const refused = await problemOf(await fetch(`${a.url}/changes/orders`))
  expect(refused).toMatchObject({ status: 503, code: 'owner_unreachable' })
  expect(refused.detail).toContain('no instance serves the partitions 2: no instance holds them')
  expect((await fetch(`${a.url}/changes/orders`, { method: 'HEAD' })).status).toBe(503)
  plan(nodes, [['a'], ['b'], ['c'], ['c']])
  const feed = await GroupFollower.open(changesOf(a))
  move([['a'], ['b'], ['c'], []])
  await until('it ends', () => feed.error !== undefined)
  expect(feed.error).toMatchObject({ code: 'owner_unreachable' })
  feed.close()
})

test('a listing is one of all parts', async () => {
  const feed = await GroupFollower.open(changesOf(a), { from: 'start' })
  await until('it begins', () => feed.events.length > 0)
  const listing: ChangeBatch = { events: [{ type: 'reset' }], place: 'start' }
  for (const { store } of nodes) for (const follower of store.changes.followers) follower.give(listing)
  give(b, 1, 'listed', 1)
  await until('an entry', () => feed.events.length === 2)
  expect(feed.events).toEqual(['reset', `put ${keyIn(1)} listed`])
  expect(feed.place).toBe('start')
  give(a, 0, 'listed', 1)
  give(b, 2, 'listed', 1)
  give(c, 3, 'listed', 1)
  await until('the listing has ended', () => feed.place !== 'start')
  feed.close()
})

test('a part that begins again has all begin again', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  for (const follower of followersOf(c, 3)) follower.give({ events: [{ type: 'reset' }], place: 'start' })
  await until('it begins again', () => feed.events.length > 0)
  await until('all are listed', () => followersOf(a, 0)[0]?.options.from === 'start')
  await until('all are listed', () => followersOf(c, 3)[0]?.options.from === 'start')
  expect(feed.events).toEqual(['reset'])
  feed.close()
})

test('a part whose holder ends within its listing begins again with all others', async () => {
  const feed = await GroupFollower.open(changesOf(a), { from: 'start' })
  move([['a'], ['b'], ['c'], ['c']])
  await until('it begins again', () => feed.events.length === 2)
  expect(feed.events).toEqual(['reset', 'reset'])
  feed.close()
})

test('a slow client holds one batch of each peer, which sends no more', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  await until('it waits', () => followersOf(b, 1).length > 0)
  give(b, 1, 'first', 1)
  await until('it has come', () => feed.events.length === 1)
  feed.isPaused = true
  const [follower] = followersOf(b, 1)
  const before = follower!.taken
  for (let offset = 2; offset < 100; offset++) give(b, 1, `value ${offset}`, offset)
  // Another feed over the same link is not held up.
  const other = await GroupFollower.open(changesOf(a), { partitions: [3] })
  give(c, 3, 'other', 1)
  await until('the other one goes ahead', () => other.events.length === 1)
  expect(follower!.taken - before).toBeLessThanOrEqual(1)
  feed.resume()
  await until('all have come', () => feed.of(keyIn(1)).length === 99)
  feed.close()
  other.close()
})

test('a feed continues at another instance after its place', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  for (const [partition, holder] of [a, b, b, c].entries()) give(holder, partition, 'value', 10 + partition)
  await until('all have come', () => feed.events.length === 4)
  feed.close()
  const from = feed.place as ChangeId
  for (const { store } of nodes) store.changes.resumed = 'changelog'
  const again = await GroupFollower.open(changesOf(c), { from })
  expect(again.following.resumed).toBe('changelog')
  expect(followersOf(a, 0)[0]!.options.from).toEqual(placeAt({ 0: 10 }))
  // The ones of before are closed with the next request.
  expect(followersOf(b, 1).at(-1)!.options.from).toEqual(placeAt({ 1: 11 }))
  expect(followersOf(c, 3).at(-1)!.options.from).toEqual(placeAt({ 2: 12, 3: 13 }))
  again.close()
})

test('the error of a peer that refuses is named', async () => {
  b.store.changes.onFollow = () => {
    throw new LatchkeyError('waits_exhausted', 'Following: 20000 requests wait already')
  }
  await expect(GroupFollower.open(changesOf(a))).rejects.toMatchObject({
    code: 'owner_unreachable',
    details: { tried: [{ url: b.url, said: 'Following: 20000 requests wait already' }] },
  })
})

test('a partition that does not exist is refused here', async () => {
  c.store.changes.onFollow = () => {
    throw new LatchkeyError('invalid_parameter', 'the topic has the partitions 0 to 3')
  }
  await expect(GroupFollower.open(changesOf(c), { partitions: [9] })).rejects.toMatchObject({
    code: 'invalid_parameter',
  })
})

test('keys are watched in all partitions, without their values, also after a move', async () => {
  let woken = 0
  const watch = await changesOf(a).watchKeys(() => woken++)
  const taken: string[] = []
  const take = () => {
    const some = watch.take(10, () => true)
    if (typeof some === 'string') taken.push(some)
    else taken.push(...(some ?? []).map(({ key, isDeletion }) => `${Buffer.from(key)} ${isDeletion}`))
  }
  give(b, 1, 'a value', 1)
  for (const follower of followersOf(c, 3)) {
    follower.give({ events: [{ type: 'delete', key: bytes('x'), partition: 3, offset: 1 }], place: undefined })
  }
  await until('both are named', () => (take(), taken.length === 2))
  expect(taken.toSorted()).toEqual([`${keyIn(1)} false`, 'x true'].toSorted())
  move([['a'], ['c'], ['b', 'c'], ['c']])
  await served(c, 1)
  give(c, 1, 'another', 2)
  await until('it continues', () => (take(), taken.length === 3))
  for (const follower of followersOf(c, 3)) follower.give({ events: [{ type: 'reset' }], place: 'start' })
  await until('it says that it missed some', () => (take(), taken.at(-1) === 'missed'))
  expect(woken).toBeGreaterThan(2)
  move([['a'], [], ['b', 'c'], ['c']])
  await until('it ends', () => (take(), taken.at(-1) === 'ended'))
  watch.close()
})

test('a link expires when it is not asked any more', async () => {
  const feed = await GroupFollower.open(changesOf(a))
  expect(b.routing.feedAnswers.size).toBe(1)
  feed.close()
  await until('nothing is followed', () => followersOf(b, 1).length === 0)
  await until('the link expires', () => b.routing.feedAnswers.size === 0)
})
