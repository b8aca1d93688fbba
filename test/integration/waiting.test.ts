/** Waiting for what is visible, with a store thread and Kafka: a lookup that waited for an offset shows no older value. */
import { expect, test } from 'bun:test'
import { toResponse } from '../../lib/http/answer.ts'
import { createRequestHandler } from '../../lib/http/handler.ts'
import type { Store } from '../../lib/store/store.ts'
import { uniqueName } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

/** Flushes only when asked. */
const never = { autoFlushCount: 1_000_000, autoFlushSeconds: 3600 }
const soon = { autoFlushWhenIdle: true }

function get(store: Store, target: string, headers: Record<string, string> = {}): Promise<Response> {
  const handle = createRequestHandler(store)
  return Promise.resolve(handle(new Request('http://localhost', { headers }), `/stores/${store.id}${target}`)).then(
    toResponse,
  )
}

test('a producer sees its own record with min-offset, at the primary and at a replica', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const producing = fixture.cluster.kafka.producer()
  await producing.connect()
  const store = fixture.open(soon)
  await fixture.quiet(store)
  const replica = fixture.open({ ...soon, useReplicaOnly: true, sourceTopic: '' })
  const states = () => replica.status().details.map(({ state }) => state)
  await until('both replicas have filled', () => states().join() === 'running,running')
  for (let round = 0; round < 150; round++) {
    const partition = round % 2
    const value = round % 7 === 0 ? null : `${round}`
    const messages = [{ key: `key ${partition}`, value, partition }]
    const [sent] = await producing.send({ topic: fixture.source, messages })
    const target = `/key%20${partition}?min-offset=${partition}:${sent!.baseOffset}`
    for (const asked of [store, replica]) {
      const answer = await get(asked, target)
      expect([round, answer.status]).toEqual([round, value === null ? 404 : 200])
      if (value !== null) expect(await answer.text()).toBe(value)
    }
  }
  await producing.disconnect()
})

test('records that are left out, and transactions that are aborted, count as visible', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(soon)
  await fixture.quiet(store)
  await fixture.produce([
    { key: 'a', value: '1' },
    { key: null, value: 'no key' },
  ])
  expect((await get(store, '/a?min-offset=0:1')).status).toBe(200)
  const producer = fixture.cluster.kafka.producer({
    transactionalId: uniqueName('transaction'),
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: fixture.source, messages: [{ key: 'a', value: 'aborted' }] })
  await transaction.abort()
  await producer.disconnect()
  const answer = await get(store, '/a?min-offset=0:3')
  expect(await answer.text()).toBe('1')
})

test('a wait causes no flush, and says that one is what it waits for', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(never)
  await fixture.quiet(store)
  await fixture.produce([{ key: 'a', value: '1' }])
  await until('it is acknowledged', () => store.status().details[0]!.position === 1)
  const answer = await get(store, '/a?min-offset=0:0', { prefer: 'wait=0' })
  expect(await answer.json()).toMatchObject({ code: 'not_yet_visible', visibleTo: { 0: 0 }, awaitsFlush: true })
  const held = get(store, '/a?min-offset=0:0')
  await until('it waits', () => store.changes.waiting === 1)
  await store.flush()
  expect(await (await held).text()).toBe('1')
})

test('a key is waited for by the ring: only its own changes wake it', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const store = fixture.open(soon)
  await fixture.quiet(store)
  const held = get(store, '/wanted', { prefer: 'wait=8' })
  await until('it waits', () => store.changes.waiting === 1)
  await fixture.produce([{ key: 'other', value: '0' }])
  await fixture.produce([{ key: 'wanted', value: '1' }])
  const first = await held
  expect([first.status, await first.text()]).toEqual([200, '1'])
  const changed = get(store, '/wanted', { prefer: 'wait=8', 'if-none-match': first.headers.get('etag')! })
  await until('it waits', () => store.changes.waiting === 1)
  await fixture.produce([{ key: 'wanted', value: null }])
  expect((await changed).status).toBe(404)
})

test('a store that closes answers those that wait', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(soon)
  await fixture.quiet(store)
  const held = [get(store, '/a', { prefer: 'wait=60' }), get(store, '/a?min-offset=0:9', { prefer: 'wait=60' })]
  await until('both wait', () => store.changes.waiting === 2)
  await store.close()
  const answers = await Promise.all((await Promise.all(held)).map((answer) => answer.json()))
  expect(answers.map((answer) => (answer as { code: string }).code)).toEqual(['stopping', 'stopping'])
})
