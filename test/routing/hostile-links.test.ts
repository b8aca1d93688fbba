/** Who asks for feeds as no instance does: it gets nothing that is not its own, and takes nothing from others. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { PartOptions } from '../../lib/routing/feeds/part-options.ts'
import { hostRuleOf } from '../../lib/server/host-rule.ts'
import type { ChangeBatch } from '../../lib/store-protocol/following.ts'
import { Token } from '../../lib/text/token.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'
import { aPart, LinkSender } from '../support/routing/link-sender.ts'

let a: Instance<FakeEntries>
let sender: LinkSender

beforeEach(() => {
  a = startInstanceOf('a', new FakeEntries('a'), { token: 'a token' })
  plan([a], [['a'], ['a'], ['a'], ['a']], [{ name: 'b', url: 'http://127.0.0.1:1' }])
  sender = new LinkSender(a, 'a token')
})

afterEach(() => a[Symbol.asyncDispose]())

const opening = (...parts: PartOptions[]) => ({ opened: new Map(parts.map((part, number) => [number, part])) })
const batch = (offset: number): ChangeBatch => ({
  events: [{ type: 'delete', key: Buffer.from('key'), partition: 0, offset }],
  place: undefined,
})

function offsetsOf({ items }: Awaited<ReturnType<LinkSender['ask']>>): number[] {
  const events = items.flatMap((item) => (item.type === 'batch' ? item.batch.events : []))
  return events.flatMap((event) => (event.type === 'delete' ? [event.offset] : []))
}

test('a request that is sent twice takes nothing from the link', async () => {
  const first = sender.sealed(opening(aPart))
  expect(await sender.send(first)).toMatchObject({ isKnown: true, items: [{ type: 'opened', part: 0 }] })
  const second = sender.sealed({ turn: 1, wanted: [0] })
  await sender.send(second)
  const [follower] = a.store.changes.followers
  for (const offset of [1, 2]) follower!.give(batch(offset))
  expect(offsetsOf(await sender.ask({ turn: 2 }))).toEqual([1])
  for (const body of [first, second]) expect(await sender.send(body)).toMatchObject({ isKnown: false, items: [] })
  expect(follower).toMatchObject({ isClosed: false, taken: 1 })
  expect(offsetsOf(await sender.ask({ turn: 3, wanted: [0] }))).toEqual([2])
})

test('nor does one that comes while the one before it is held', async () => {
  await sender.ask(opening(aPart))
  const body = sender.sealed({ turn: 1, holdMs: 100, wanted: [0] })
  const held = sender.send(body)
  const again = await sender.send(body)
  const [follower] = a.store.changes.followers
  follower!.give(batch(1))
  const answers = [await held, again]
  expect(answers.filter(({ isKnown }) => isKnown)).toHaveLength(1)
  expect(offsetsOf(await sender.ask({ turn: 2 }))).toHaveLength(1 - answers.flatMap(offsetsOf).length)
})

test('a link belongs to the member that has begun it', async () => {
  await sender.ask(opening(aPart))
  for (const turn of [0, 1]) {
    expect(await sender.ask({ turn, closed: [0] }, 'member-c')).toMatchObject({ isKnown: false })
  }
  expect(a.store.changes.followers).toMatchObject([{ isClosed: false }])
})

test('who is not a member takes no room from members', async () => {
  const link = async (count: number, memberId: string) => {
    const body = sender.sealed({ link: `${memberId} ${count}` }, memberId)
    return (await sender.post(body)).status
  }
  const others = await Promise.all(Array.from({ length: 70 }, (_, count) => link(count, `member-x${count}`)))
  expect(others.filter((status) => status === 200)).toHaveLength(64)
  const own = await Promise.all(Array.from({ length: 70 }, (_, count) => link(count, 'member-b')))
  expect(own.filter((status) => status === 200)).toHaveLength(64)
})

test('the keys of all links have a bound', async () => {
  const part = { ...aPart, keys: emptyKeys(10_000) }
  const links = Array.from({ length: 8 }, (_, link) => `link ${link}`)
  const parts = opening(...Array.from({ length: 20 }, () => part))
  const answers = await Promise.all(links.map((link) => sender.ask({ link, ...parts })))
  const more = await Promise.all(links.map((link) => sender.ask({ link, turn: 1 })))
  const items = [...answers, ...more].flatMap((answer) => answer.items)
  const refused = items.filter((item) => item.type === 'ended')
  expect(refused.length).toBe(160 - 104)
  expect(refused[0]!.error).toMatchObject({ code: 'waits_exhausted' })
  // What is closed makes room.
  await sender.ask({ link: 'link 0', turn: 2, closed: Array.from({ length: 20 }, (_, number) => number) })
  const again = await sender.ask({ link: 'link 7', turn: 2, opened: new Map([[99, part]]) })
  expect(again.items).toMatchObject([{ type: 'opened', part: 99 }])
})

test('parts that no instance opens are refused, and nothing else ends', async () => {
  await sender.ask(opening(aPart))
  const strange: PartOptions[] = [
    { ...aPart, partitions: [4_294_967_295] },
    { ...aPart, seen: new Map([[4_294_967_295, 1]]) },
    { ...aPart, seen: new Map([[0, 36 ** 10 - 1]]) },
  ]
  const opened = new Map(strange.map((part, number) => [number + 1, part]))
  const { items } = await sender.ask({ turn: 1, holdMs: 100, opened })
  expect(items.map(({ type }) => type)).toEqual(['ended', 'ended', 'ended'])
  expect(a.store.changes.followers).toMatchObject([{ isClosed: false }])
})

const garbage: [string, Uint8Array<ArrayBuffer> | (() => Uint8Array<ArrayBuffer>), number][] = [
  ['nothing', () => new Uint8Array(), 400],
  ['counts that are not there', () => sender.written((writer) => counts(writer)), 400],
  ['a name that is too long', () => sender.sealed({ link: 'x'.repeat(65) }), 400],
  ['another token', () => new LinkSender(a, 'another').sealed({}), 401],
  ['no token', () => new LinkSender(a).sealed({}), 401],
  ['places of negative numbers', () => sender.sealed(opening({ ...aPart, from: place(-1, 1) })), 400],
  ['a time beyond all', () => sender.sealed(opening({ ...aPart, from: place(1, Number.MAX_SAFE_INTEGER) })), 400],
  ['a time that is none', () => sender.sealed(opening({ ...aPart, from: place(1, Number.NaN) })), 400],
  ['too many keys', () => sender.sealed(opening({ ...aPart, keys: emptyKeys(10_001) })), 400],
]

function emptyKeys(count: number): Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array())
}

function place(position: number, time: number) {
  return { topicId: 'topic', time, positions: new Map([[0, position]]) }
}

function counts(writer: Parameters<Parameters<LinkSender['written']>[0]>[0]): void {
  writer.text('link')
  for (let at = 0; at < 4; at++) writer.u32(0xffff_ffff)
}

test.each(garbage)('a request with %s is refused', async (_, body, status) => {
  const response = await sender.post(typeof body === 'function' ? body() : body)
  expect(response.status).toBe(status)
  expect(await response.text()).not.toContain('a token')
  expect(a.routing.feedAnswers.size).toBe(0)
})

test('a request that is older than 30 s is refused', async () => {
  const { now } = Date
  Date.now = () => now() - 31_000
  const body = sender.sealed({})
  Date.now = now
  expect((await sender.post(body)).status).toBe(401)
})

test('only the type of instances is read, no page gets an answer, and the names of hosts count as for other paths', async () => {
  const hostRule = hostRuleOf({ token: Token.of(undefined), refused: () => false })
  await using open = startInstanceOf('open', new FakeEntries('open'), { listen: { hostRule } })
  plan([open], [['open'], ['open'], ['open'], ['open']])
  const body = new LinkSender(open).sealed({})
  const post = (headers: Record<string, string>) =>
    fetch(`${open.server.url}/group/orders/feeds`, { method: 'POST', headers, body })
  const type = { 'content-type': 'application/vnd.latchkey.group' }
  expect((await post({ 'content-type': 'text/plain' })).status).toBe(415)
  expect((await post({ ...type, host: 'evil.example' })).status).toBe(421)
  expect(open.routing.feedAnswers.size).toBe(0)
  const answer = await post({ ...type, origin: 'http://evil.example' })
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null])
})
