/** Peers that serve feeds wrongly: the feed shows nothing of what they say wrongly, and continues at another copy. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { LinkAnswer, LinkRequest } from '../../lib/routing/feeds/wire-links.ts'
import type { ChangeId } from '../../lib/store-protocol/change-id.ts'
import type { ChangeEvent } from '../../lib/store-protocol/following.ts'
import { keyIn } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { ending, type FakeLinkOptions, serving, startFakeLink } from '../support/routing/fake-link.ts'
import { type FakePeer, responseOf } from '../support/routing/fake-peer.ts'
import { GroupFollower } from '../support/routing/group-follower.ts'
import { type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

let a: Instance<FakeEntries>
let b: Instance<FakeEntries>

beforeEach(() => {
  ;[a, b] = ['a', 'b'].map((name) => startInstanceOf(name, new FakeEntries(name), { feeds: { openMs: 3_000 } })) as [
    Instance<FakeEntries>,
    Instance<FakeEntries>,
  ]
  for (const { store } of [a, b]) for (const partition of [0, 1, 2, 3]) store.visible(partition, 1_000)
})

afterEach(async () => {
  await a[Symbol.asyncDispose]()
  await b[Symbol.asyncDispose]()
})

function put(partition: number, value: string, offset = 1, name = 'key'): ChangeEvent {
  const key = new TextEncoder().encode(keyIn(1, name))
  return { type: 'put', entry: { key, value: new TextEncoder().encode(value), partition, offset, timestamp: 9 } }
}

function placeAt(position: number): ChangeId {
  return { topicId: 'topic', time: 1, positions: new Map([[1, position]]) }
}

/** A feed of partition 1, which is at the peer first, and at b, too. */
async function follow(fake: FakePeer): Promise<GroupFollower> {
  plan([a, b], [['a'], ['fake', 'b'], ['a'], ['a']], [fake])
  return GroupFollower.open(a.routing.store.changes, { partitions: [1], prefix: new TextEncoder().encode('key') })
}

const nothing: LinkAnswer = { isKnown: true, items: [], places: new Map() }
const good = serving(() => undefined)

type Behaviour = (request: LinkRequest) => LinkAnswer | Buffer | undefined

/** As `first`, and then as another. */
function then(first: Behaviour, next: Behaviour): Behaviour {
  let count = 0
  return (request) => (count++ === 0 ? first(request) : next(request))
}

const behaviours: [string, Behaviour, FakeLinkOptions?][] = [
  ['sends a change of another partition', serving(() => ({ events: [put(2, 'a lie')], place: placeAt(9) }))],
  [
    'sends a state of another partition',
    serving(() => ({ events: [{ type: 'status', partition: 0, state: 'running' }], place: undefined })),
  ],
  ['sends a key that is not followed', serving(() => ({ events: [put(1, 'a lie', 1, 'other')], place: placeAt(9) }))],
  [
    'begins again within a batch',
    serving(() => ({ events: [put(1, 'a lie'), { type: 'reset' }, put(1, 'a lie')], place: placeAt(9) })),
  ],
  [
    'names a place that is no line',
    serving(() => ({ events: [], place: { ...placeAt(9), topicId: 'x\n\ndata: lie' } })),
  ],
  ['names a place before all', serving(() => ({ events: [], place: placeAt(-9) }))],
  ['names a place at no time', serving(() => ({ events: [], place: { ...placeAt(9), time: Number.NaN } }))],
  [
    'sends more changes than an answer has',
    serving(() => ({ events: Array.from({ length: 100_000 }, () => ({ type: 'reset' })), place: placeAt(9) })),
  ],
  [
    'sends what is not asked for',
    ({ opened }) => ({
      ...nothing,
      items: [...opened.keys()].flatMap((part) => [
        { type: 'opened', part, resumed: undefined, place: placeAt(1) } as const,
        { type: 'batch', part, batch: { events: [put(1, 'too early')], place: placeAt(9) } } as const,
      ]),
    }),
  ],
  ['answers with garbage', () => responseOf('x'.repeat(200))],
  ['answers with garbage later', then(good, () => responseOf('x'.repeat(200)))],
  ['answers with a page', () => responseOf('<html>', 'text/html')],
  ['knows no feeds, as an earlier version', () => responseOf('no', 'text/plain', '404 Not Found')],
  ['says nothing', () => undefined],
  ['stands still later', then(good, () => undefined)],
  ['never begins', () => nothing],
  ['has forgotten the link', then(good, () => ({ ...nothing, isKnown: false }))],
  ['is another member', good, { memberId: 'member-x' }],
  ['refuses', ending(new LatchkeyError('waits_exhausted', 'Following: too many'))],
  [
    'ends the part',
    then(good, ({ wanted: [part = 0] }) => ({
      ...nothing,
      items: [{ type: 'ended', part, error: new LatchkeyError('stopping', 'It stops') }],
    })),
  ],
]

// With all three, so that the last one is not taken for a callback.
const rows = behaviours.map(([name, behaviour, options]) => [name, behaviour, options] as const)

test.each(rows)('a peer that %s is left for another copy', async (_, behaviour, options) => {
  using fake = startFakeLink(behaviour, options ?? {})
  const feed = await follow(fake)
  await until('b serves it', () => b.store.changes.followers.length > 0)
  for (const follower of b.store.changes.followers) follower.give({ events: [put(1, 'true')], place: placeAt(2) })
  await until('it has come', () => feed.events.length > 0)
  expect([feed.events, feed.error]).toEqual([[`put ${keyIn(1)} true`], undefined])
  feed.close()
})

test('a place does not go back', async () => {
  const batches = [9, 5].map((position) => ({ events: [put(1, `at ${position}`, position)], place: placeAt(position) }))
  using fake = startFakeLink(serving((_, wish) => batches[wish]))
  const feed = await follow(fake)
  await until('both have come', () => feed.events.length === 2)
  expect(feed.place).toEqual(placeAt(9))
  feed.close()
})

test('a place is not of a later time than now', async () => {
  const ahead = { ...placeAt(9), time: Date.now() + 1e9 }
  using fake = startFakeLink(
    serving((_, wish) => (wish === 0 ? { events: [put(1, 'value')], place: ahead } : undefined)),
  )
  const feed = await follow(fake)
  await until('it has come', () => feed.events.length === 1)
  expect((feed.place as ChangeId).time).toBeLessThanOrEqual(Date.now())
  feed.close()
})

test('a peer that holds no request is not asked without a pause', async () => {
  let asked = 0
  using fake = startFakeLink((request) => (asked++, good(request)))
  const startedAt = performance.now()
  const feed = await follow(fake)
  await until('it is asked again and again', () => asked > 50)
  feed.close()
  // Timers are exact to a millisecond.
  expect(asked).toBeLessThanOrEqual(performance.now() - startedAt + 1)
})

test('a place of a client that no instance has given ends no feed of others', async () => {
  using fake = startFakeLink(good)
  plan([a, b], [['a'], ['fake'], ['a'], ['a']], [fake])
  const feed = await GroupFollower.open(a.routing.store.changes, { partitions: [1] })
  const headers = { 'last-event-id': `1~${'x'.repeat(100)}~0~1.1` }
  expect((await fetch(`${a.url}/changes/orders?partition=1`, { headers })).status).toBe(400)
  const keys = Array.from({ length: 10_001 }, () => new TextEncoder().encode(keyIn(1)))
  const many = GroupFollower.open(a.routing.store.changes, { partitions: [1], keys })
  await expect(many).rejects.toMatchObject({ code: 'owner_unreachable' })
  expect(fake.connections()).toBe(1)
  feed.close()
})

test('without the token, a peer is not believed, and gets no answer', async () => {
  await using signing = startInstanceOf('signing', new FakeEntries('signing'), {
    token: 'a token',
    feeds: { openMs: 200 },
  })
  using fake = startFakeLink(good)
  plan([signing], [['signing'], ['fake'], ['signing'], ['signing']], [fake])
  const feed = GroupFollower.open(signing.routing.store.changes, { partitions: [1] })
  await expect(feed).rejects.toMatchObject({
    details: { tried: [{ said: expect.stringContaining('it is not signed') }] },
  })
  // Nor does it answer who has not signed.
  plan([a, signing], [['a'], ['signing'], ['a'], ['a']])
  const asked = GroupFollower.open(a.routing.store.changes, { partitions: [1] })
  await expect(asked).rejects.toMatchObject({ details: { tried: [{ said: expect.stringContaining('401') }] } })
  expect(signing.store.changes.followers).toHaveLength(0)
})
