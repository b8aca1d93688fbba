/** Reads of several keys in a group of three instances, over their HTTP servers. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { partitionOf } from '../../lib/map/index.ts'
import { problemOf } from '../support/http/fake-store.ts'
import { keyIn } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { countRequests, type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'

type Node = Instance<FakeEntries>

interface Page {
  entries: { key: string; partition: number; role?: string }[]
  restarted?: number[]
  next?: string
}

let nodes: Node[]
let a: Node
let b: Node
let c: Node

/** Keys that other instances had, by outcome. */
const forwarded = new Map<string, number>()

beforeEach(() => {
  forwarded.clear()
  nodes = ['a', 'b', 'c'].map((name, index) => {
    const observe = (result: string) => void forwarded.set(result, (forwarded.get(result) ?? 0) + 1)
    const options = { token: 'a token', counts: { observe, hedged() {} } }
    const node = startInstanceOf(name, new FakeEntries(`mark-${name}`), options)
    node.store.epoch = index + 1
    return node
  })
  ;[a, b, c] = nodes as [Node, Node, Node]
  plan(nodes, [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
    ['c', 'b'],
  ])
})

afterEach(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
})

function fill(count: number): string[] {
  const keys = Array.from({ length: count }, (_, index) => `key ${index}`)
  for (const { store } of nodes) for (const key of keys) store.records.set(key, `"${key}"`)
  return keys
}

function ask(node: Node, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${node.url}${path}`, { ...init, headers: { ...init.headers, authorization: 'Bearer a token' } })
}

async function many(node: Node, keys: readonly string[], query = '') {
  const headers = { 'content-type': 'application/json' }
  const response = await ask(node, `/stores/orders${query}`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ keys }),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as {
    epochs: Record<string, number>
    entries: { key: string; value: string; partition: number; role?: string }[]
    missing: { key: string; code: string; caughtUp?: boolean; partition?: number }[]
  }
}

async function pages(node: Node, query: string, between: (page: Page) => void = () => {}): Promise<Page[]> {
  const all: Page[] = []
  for (let next: string | undefined = `/stores/orders?${query}`; next !== undefined;) {
    const response: Response = await ask(node, next)
    expect(response.status).toBe(200)
    const page = (await response.json()) as Page
    all.push(page)
    ;({ next } = page)
    if (next !== undefined) between(page)
  }
  return all
}

test('many keys are gathered: one request to each instance that has some, each with its epoch', async () => {
  const keys = fill(100)
  const requests = [b, c].map(countRequests)
  const answer = await many(a, [...keys, keyIn(1, 'none')])
  expect(answer.epochs).toEqual({ a: 1, b: 2, c: 3 })
  expect(answer.entries.map(({ key, value }) => [key, value])).toEqual(keys.map((key) => [key, key]))
  expect(answer.entries.every(({ role }) => role === undefined)).toBeTrue()
  expect(answer.missing).toEqual([{ key: keyIn(1, 'none'), code: 'key_not_found', caughtUp: true }])
  expect(requests.map((count) => count())).toEqual([1, 1])
  const elsewhere = keys.filter((key) => a.store.partitionOf(Buffer.from(key)) !== 0).length
  expect(forwarded).toEqual(
    new Map([
      ['found', elsewhere],
      ['not_found', 1],
    ]),
  )
})

test('keys that are all here are answered here, with this epoch', async () => {
  fill(100)
  const answer = await many(a, [keyIn(0, 'key '), keyIn(0, 'none')])
  expect(answer.epochs).toEqual({ a: 1 })
  expect([answer.entries.length, answer.missing[0]?.code]).toEqual([1, 'key_not_found'])
})

test('keys of an instance that has ended are answered by the copies, each of another instance', async () => {
  const keys = fill(100)
  await c[Symbol.asyncDispose]()
  const answer = await many(b, keys)
  expect(answer.missing).toEqual([])
  const of = (partition: number) => answer.entries.find((entry) => entry.partition === partition)?.role
  expect([0, 1, 2, 3].map(of)).toEqual([undefined, undefined, 'replica', 'replica'])
})

test('keys of an instance that is silent are asked of the copies, and its late answer changes nothing', async () => {
  const keys = fill(100)
  const { promise, resolve } = Promise.withResolvers<void>()
  c.store.beforeRead = () => promise
  const answer = await many(a, keys)
  expect(answer.entries.length).toBe(100)
  expect(new Set(answer.entries.filter(({ role }) => role).map(({ partition }) => partition))).toEqual(new Set([2, 3]))
  resolve()
})

test('keys that no copy answers are missing with the reason, and the others are there', async () => {
  const keys = fill(100)
  plan(nodes, [['a'], ['b'], ['c'], []])
  await c[Symbol.asyncDispose]()
  const { entries, missing } = await many(a, keys)
  expect(entries.length + missing.length).toBe(100)
  const codes = new Map(missing.map(({ partition, code }) => [partition, code]))
  expect(codes).toEqual(
    new Map([
      [2, 'owner_unreachable'],
      [3, 'partition_unassigned'],
    ]),
  )
})

test('values of all instances together stay within the bound of an answer', async () => {
  const keys = fill(60)
  for (const { store } of nodes) for (const key of keys) store.records.set(key, 'v'.repeat(50_000))
  const { results } = await a.routing.store.getMany(
    keys.map((key) => Buffer.from(key)),
    1_000_000,
  )
  const found = results.filter((result) => !(result instanceof LatchkeyError))
  expect(found.length).toBeGreaterThanOrEqual(18)
  expect(found.length).toBeLessThanOrEqual(20)
  const codes = results.flatMap((result) => (result instanceof LatchkeyError ? result.code : []))
  expect(new Set(codes)).toEqual(new Set(['answer_full']))
})

test('pages have all entries of the group, at whichever instance each is asked for', async () => {
  const keys = fill(200)
  const all: Page[] = []
  let next: string | undefined = '/stores/orders?limit=30'
  for (let turn = 0; next !== undefined; turn++) {
    const page: Page = (await (await ask(nodes[turn % 3]!, next)).json()) as Page
    all.push(page)
    ;({ next } = page)
  }
  expect(all.flatMap(({ entries }) => entries.map(({ key }) => key)).toSorted()).toEqual(keys.toSorted())
  expect(all.some(({ restarted }) => restarted !== undefined)).toBeFalse()
})

test('a walk continues where it has begun a partition, while that instance keeps a copy', async () => {
  const keys = fill(200)
  const all = await pages(a, 'limit=10&partition=1', () => {
    plan(nodes, [
      ['a', 'b'],
      ['a', 'b'],
      ['c', 'a'],
      ['c', 'b'],
    ])
  })
  const found = all.flatMap(({ entries }) => entries)
  expect(found.map(({ key }) => key).toSorted()).toEqual(
    keys.filter((key) => b.store.partitionOf(Buffer.from(key)) === 1).toSorted(),
  )
  expect(all.some(({ restarted }) => restarted !== undefined)).toBeFalse()
  expect(found.at(-1)?.role).toBe('replica')
})

test('a partition that has left the instance in which it was begun is begun again, and named', async () => {
  fill(200)
  let hasMoved = false
  const all = await pages(a, 'limit=10&partition=1', () => {
    if (hasMoved) return
    hasMoved = true
    plan(nodes, [
      ['a', 'b'],
      ['c', 'a'],
      ['c', 'a'],
      ['c', 'b'],
    ])
  })
  const count = [...b.store.records.keys()].filter((key) => b.store.partitionOf(Buffer.from(key)) === 1).length
  expect(all.map(({ restarted }) => restarted).filter((one) => one !== undefined)).toEqual([[1]])
  const found = all.flatMap(({ entries }) => entries.map(({ key }) => key))
  expect(new Set(found).size).toBe(count)
  expect(found.length).toBe(count + all[0]!.entries.length)
})

test('a dump and a count have the entries of all partitions', async () => {
  fill(300)
  const dump = await ask(a, '/stores/orders', { headers: { accept: 'application/x-ndjson' } })
  const lines = (await dump.text()).trimEnd().split('\n')
  expect(lines.pop()).toBe('{"end":true,"entries":300}')
  expect(new Set(lines).size).toBe(300)
  expect(await (await ask(b, '/stores/orders?count')).json()).toEqual({ epochs: { a: 1, b: 2, c: 3 }, count: 300 })
  expect(await (await ask(c, '/stores/orders?count&prefix=key+1')).json()).toMatchObject({ count: 111 })
})

test('a walk and a count answer nothing rather than a part', async () => {
  fill(100)
  plan(nodes, [['a'], ['b'], ['c'], []])
  for (const query of ['count', 'partition=3', 'limit=1000']) {
    const problem = await problemOf(await ask(a, `/stores/orders?${query}`))
    expect(problem).toMatchObject({ status: 503, code: 'partition_unassigned', partition: 3 })
  }
})

test('a flush reaches each primary once, and names those that have not answered', async () => {
  const flushed = await ask(a, '/flush-store/orders', { method: 'POST' })
  expect(await flushed.json()).toEqual({ operations: 30 })
  expect(nodes.map(({ store }) => store.flushed)).toEqual([1, 1, 1])
  b.store.beforeRead = () => {
    throw new LatchkeyError('stopping', 'Flushing: it is stopping')
  }
  const problem = await problemOf(await ask(a, '/flush-store/orders', { method: 'POST' }))
  expect(problem).toMatchObject({ status: 503, code: 'owner_unreachable' })
  expect(problem.detail).toContain(`1 of 3 instances have not flushed: ${b.url}: Flushing: it is stopping`)
  expect(nodes.map(({ store }) => store.flushed)).toEqual([2, 1, 2])
})

test('a key that no request has room for is refused alone', async () => {
  const long = new Uint8Array(2_000_000)
  while (partitionOf(long, 4) !== 1) long[0]!++
  b.store.records.set(keyIn(1), 'value')
  const { results } = await a.routing.store.getMany([long, Buffer.from(keyIn(1))], 1_000)
  expect(results).toMatchObject([{ code: 'invalid_key' }, { value: new Uint8Array(Buffer.from('value')) }])
})
