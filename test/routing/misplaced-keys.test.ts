/** Keys that are where the partitioner does not put them, in a group of three instances. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { problemOf } from '../support/http/fake-store.ts'
import { keyIn, primary, replica } from '../support/routing/fake-copies.ts'
import { FakeEntries } from '../support/routing/fake-entries.ts'
import { type Instance, plan, startInstanceOf } from '../support/routing/instances.ts'
import { until } from '../support/until.ts'

type Node = Instance<FakeEntries>

let nodes: Node[]
let a: Node
let b: Node
let c: Node
/** Belongs to partition 0, which a has; is in partition 3, which c has. */
const stray = keyIn(0, 'stray')

beforeEach(() => {
  nodes = ['a', 'b', 'c'].map((name) => startInstanceOf(name, new FakeEntries(`mark-${name}`)))
  ;[a, b, c] = nodes as [Node, Node, Node]
  for (const { store } of nodes) {
    store.strays.set(stray, 3)
    store.records.set(stray, '"there"')
  }
  plan(nodes, [['a'], ['b'], ['b'], ['c']], [], { hasStrangers: true })
})

afterEach(async () => {
  await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
})

test.each([0, 1, 2])('instance %d finds a key that is in another partition than its own', async (index) => {
  const node = nodes[index]!
  const response = await node.get(stray)
  expect([response.status, await response.text()]).toEqual([200, '"there"'])
  expect(response.headers.get('x-kafka-partition')).toBe('3')
  expect(response.headers.get('x-latchkey-instance')).toBe(node === c ? null : 'c')
  const many = await fetch(`${node.url}/stores/orders?keys=${stray}&keys=none`)
  expect(await many.json()).toMatchObject({
    entries: [{ key: stray, value: 'there', partition: 3 }],
    missing: [{ key: 'none', code: 'key_not_found', caughtUp: true }],
  })
})

test('a key that is nowhere is 404 once all primaries have said so', async () => {
  for (const node of nodes) {
    expect(await problemOf(await node.get('none'))).toMatchObject({
      status: 404,
      code: 'key_not_found',
      caughtUp: true,
    })
  }
  c.store.copies.set(3, { ...primary, caughtUp: false })
  expect(await problemOf(await b.get(keyIn(1)))).toMatchObject({ status: 404, caughtUp: false })
})

test('a key is not missing while a primary does not answer', async () => {
  await c[Symbol.asyncDispose]()
  for (const node of [a, b]) {
    expect(await problemOf(await node.get(stray))).toMatchObject({ status: 503, code: 'owner_unreachable' })
    const many = await fetch(`${node.url}/stores/orders?keys=${stray}`)
    expect(await many.json()).toMatchObject({ entries: [], missing: [{ key: stray, code: 'owner_unreachable' }] })
  }
})

test('a key is not missing while its partition moves: who had it is primary no more, who gets it is not yet', async () => {
  c.store.copies.set(3, { ...replica, isReady: false })
  c.store.records.delete(stray)
  expect(await problemOf(await a.get(stray))).toMatchObject({ status: 503, code: 'recovering', partition: 3 })
})

test('two instances that know of different numbers of partitions do not say that a key is missing', async () => {
  c.store.copies.partitionCount = 5
  expect(await problemOf(await a.get('none'))).toMatchObject({ status: 503 })
})

test('an instance that has seen such a key looks for others at once, before the plan says so', async () => {
  plan(nodes, [['a'], ['b'], ['b'], ['c']])
  expect((await a.get(stray)).status).toBe(404)
  a.store.copies.strange.add(0)
  await until('the key to be found', async () => (await a.get(stray)).status === 200)
})

test('before all partitions were read once, a key is looked for in all that answer', async () => {
  plan(nodes, [['a'], ['b'], ['b'], ['c']], [], { isComplete: false })
  expect((await a.get(stray)).status).toBe(200)
  expect(await problemOf(await a.get('none'))).toMatchObject({ status: 404, caughtUp: true })
  await c[Symbol.asyncDispose]()
  expect(await problemOf(await a.get(stray))).toMatchObject({ status: 404, caughtUp: false })
  plan(nodes, [['a'], ['b'], ['b'], []], [], { isComplete: false })
  expect(await problemOf(await a.get('none'))).toMatchObject({ status: 404, caughtUp: false })
})

test('while there may be another plan, a key is looked for in all that answer', async () => {
  plan(nodes, [['a'], ['b'], ['b'], ['c']])
  a.store.copies.isCurrentPlan = false
  expect((await a.get(stray)).status).toBe(200)
  const many = await fetch(`${a.url}/stores/orders?keys=${stray}`)
  expect(await many.json()).toMatchObject({ entries: [{ key: stray }] })
  await c[Symbol.asyncDispose]()
  expect(await problemOf(await a.get(stray))).toMatchObject({ status: 404, caughtUp: false })
})

test('without such keys in the group a miss asks no other instance', async () => {
  plan(nodes, [['a'], ['b'], ['b'], ['c']])
  const before = b.store.lookups
  expect((await a.get(stray)).status).toBe(404)
  expect(b.store.lookups).toBe(before)
})

test('a key of a partition that no instance has read yet is found where it was before the topic has grown', async () => {
  plan(nodes, [[], ['b'], ['b'], ['c']], [], { hasStrangers: true, isComplete: false })
  for (const node of nodes) {
    const response = await node.get(stray)
    expect([response.status, response.headers.get('x-latchkey-lag')]).toEqual([200, 'unknown'])
    // Its own partition may have a newer value.
    expect(await problemOf(await node.get(stray, '?max-lag=0'))).toMatchObject({ status: 503 })
    expect(await problemOf(await node.get(keyIn(0, 'none')))).toMatchObject({
      status: 503,
      code: 'partition_unassigned',
    })
    const many = await fetch(`${node.url}/stores/orders?keys=${stray}&keys=${keyIn(0, 'none')}`)
    expect(await many.json()).toMatchObject({
      entries: [{ key: stray, value: 'there', partition: 3 }],
      missing: [{ code: 'partition_unassigned' }],
    })
  }
})
