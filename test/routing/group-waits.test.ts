/** Requests that wait for what another instance of the group has. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { problemOf } from '../support/http/fake-store.ts'
import { keyIn, replica } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

type Node = Instance<FakeEntries>

let nodes: Node[]
let a: Node
let b: Node

beforeEach(() => {
  nodes = ['a', 'b'].map((name) => startInstanceOf(name, new FakeEntries(`mark-${name}`)))
  ;[a, b] = nodes as [Node, Node]
  for (const { store } of nodes) for (const partition of [0, 1, 2, 3]) store.visible(partition, 10)
  plan(nodes, [['a'], ['b', 'a'], ['b'], ['b']])
})

afterEach(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
})

/** Answers that are there; others are still held. */
function answersOf(...coming: Promise<Response>[]): Response[] {
  const answers: Response[] = []
  for (const one of coming) void one.then((response) => answers.push(response))
  return answers
}

const waiting = (node: Node) => node.routing.store.changes.waiting

test('a lookup waits until its primary shows the offset, even if a copy here does', async () => {
  b.store.records.set(keyIn(1), 'old')
  a.store.visible(1, 100)
  const answers = answersOf(a.get(keyIn(1), '?min-offset=1:10'))
  await until('the wait to begin', () => waiting(a) > 0)
  expect(answers).toEqual([])
  b.store.records.set(keyIn(1), 'new')
  b.store.visible(1, 11)
  await until('the answer', () => answers.length > 0)
  expect(await answers[0]!.text()).toBe('new')
  expect(waiting(a)).toBe(0)
})

test('an offset that is visible already is answered', async () => {
  b.store.records.set(keyIn(1), 'value')
  expect(await (await a.get(keyIn(1), '?min-offset=1:9&min-offset=0:9')).text()).toBe('value')
})

test('a copy that is behind does not answer in place of the primary that has shown the offset', async () => {
  a.store.records.set(keyIn(1), 'old')
  a.store.copies.set(1, { ...replica, lag: 1 })
  b.store.before = () => {
    throw new TypeError('It does not answer')
  }
  expect(await problemOf(await a.get(keyIn(1), '?min-offset=1:9'))).toMatchObject({ status: 503, code: 'too_stale' })
})

test('a wait that is over says how far the primary is', async () => {
  const request = new Request(`${a.url}/stores/orders/${keyIn(1)}?min-offset=1:12`, { headers: { prefer: 'wait=1' } })
  const problem = await problemOf(await fetch(request))
  expect(problem).toMatchObject({ status: 503, code: 'not_yet_visible', visibleTo: { 1: 10 } })
  expect(waiting(a)).toBe(0)
})

test('a wait continues where the partition moves', async () => {
  const answers = answersOf(a.get(keyIn(2), '?min-offset=2:10'))
  await until('the wait to begin', () => waiting(a) > 0)
  a.store.records.set(keyIn(2), 'here')
  plan(nodes, [['a'], ['b'], ['a'], ['b']])
  a.store.visible(2, 11)
  await until('the answer', () => answers.length > 0)
  expect(await answers[0]!.text()).toBe('here')
})

test('a lookup is held until its key exists, at another instance', async () => {
  const request = new Request(`${a.url}/stores/orders/${keyIn(3)}`, { headers: { prefer: 'wait=30' } })
  const answers = answersOf(fetch(request))
  await until('the wait to begin', () => waiting(a) > 0)
  // A change of another key wakes it in vain.
  b.store.visible(3, 11)
  await until('another look', () => b.store.lookups > 2)
  expect(answers).toEqual([])
  b.store.records.set(keyIn(3), 'there')
  b.store.visible(3, 12)
  await until('the answer', () => answers.length > 0)
  expect([answers[0]!.status, await answers[0]!.text()]).toEqual([200, 'there'])
  await until('the wait to end', () => waiting(a) === 0)
})

test('a change that is written first and visible later wakes those who wait for its key', async () => {
  const answers = answersOf(fetch(`${a.url}/stores/orders/${keyIn(3)}`, { headers: { prefer: 'wait=30' } }))
  await until('the wait to begin', () => waiting(a) > 0)
  // A write of a program has no source offset.
  b.store.stats.setGauge(3, 'changelogPosition', 7)
  const before = b.store.lookups
  await until('another look', () => b.store.lookups > before)
  expect(answers).toEqual([])
  b.store.records.set(keyIn(3), 'there')
  b.store.epoch++
  await until('the answer', () => answers.length > 0)
  expect(answers[0]!.status).toBe(200)
})
