import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { createHandler } from '../../lib/http/handler.ts'
import type { Store } from '../../lib/store/store.ts'
import { answer, answersWith, detailOf, Instances, isReady } from '../support/instances/instances.ts'
import { freeze, thaw } from '../support/kafka/broker/freeze.ts'
import { type KafkaBroker, kafkaClient, startKafka } from '../support/kafka/index.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const fetchKey = 1

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterEach(() => {
  broker.proxy!.onRequest = undefined
  broker.proxy!.release()
})

afterAll(() => broker.close())

/** Holds back, from now on, every Fetch of partition 1 of the changelog alone: only a replica asks so. It names the topic by its id. */
async function holdReplica(instances: Instances): Promise<{ held: Promise<void>; release: () => void }> {
  const held = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const [found] = await withClient(broker.direct, (client) => client.metadata([instances.changelog]))
  const partitions = [2, 0, 0, 0, 1] // a compact array of one
  const wanted = Buffer.concat([Buffer.from(found!.id!, 'base64url'), Buffer.from(partitions)])
  broker.proxy!.onRequest = ({ apiKey, frame }) => {
    if (apiKey !== fetchKey || !frame.includes(wanted)) return
    held.resolve()
    return released.promise
  }
  return { held: held.promise, release: released.resolve }
}

test('a store is ready when its primaries are, and a miss in a replica that is still filling is to be retried', async () => {
  await using instances = await Instances.create({ broker })
  const [[own = ''], [elsewhere = '']] = [instances.keysOf(0, 1), instances.keysOf(2, 1)]
  const [copied = '', absent = ''] = instances.keysOf(1, 2)
  await instances.write({ [own]: 'own', [copied]: 'copied', [elsewhere]: 'elsewhere' })
  await instances.openReady({ PARTITIONS: '1' })
  const { release } = await holdReplica(instances)
  const store = await instances.openReady({ PARTITIONS: '0', PARTITIONS_REPLICA: '1' })
  const answers = async () => Promise.all([own, copied, absent, elsewhere].map((key) => answer(store, key)))
  expect(await answers()).toEqual(['own', 'replica_recovering', 'replica_recovering', 'partition_not_held'])
  expect(detailOf(store, 1)).toMatchObject({ role: 'replica', state: 'recovering' })
  release()
  await until('the replica has filled', () => detailOf(store, 1).state === 'running')
  expect(await answers()).toEqual(['own', 'copied', 'key_not_found', 'partition_not_held'])
})

test('a store is not ready and answers nothing before its replicas have filled when WAIT_FOR_REPLICAS is true', async () => {
  await using instances = await Instances.create({ broker })
  const [[own = ''], [copied = '']] = [instances.keysOf(0, 1), instances.keysOf(1, 1)]
  await instances.write({ [own]: 'own', [copied]: 'copied' })
  const former = await instances.openReady({ PARTITIONS: '0,1' })
  await former.close()
  const { release } = await holdReplica(instances)
  const store = instances.open({ PARTITIONS: '0', PARTITIONS_REPLICA: '1', WAIT_FOR_REPLICAS: 'true' })
  await until('the primary has recovered', () => detailOf(store, 0)?.entries === 1)
  expect(await answer(store, own)).toBe('recovering')
  expect(isReady(store)).toBe(false)
  release()
  await instances.ready(store)
  expect(await answer(store, own)).toBe('own')
  expect(await answer(store, copied)).toBe('copied')
})

test('a replica that was behind when the changelog lost its beginning is filled again from what remains', async () => {
  // A broker deletes no records of a topic that is only compacted.
  await using instances = await Instances.create({ broker, changelog: { 'cleanup.policy': 'compact,delete' } })
  const [first = '', second = '', third = ''] = instances.keysOf(1, 3)
  await instances.write({ [first]: 'one', [second]: 'one' })
  await instances.openReady({ PARTITIONS: '1' })
  const replica = await instances.openReady({ PARTITIONS: '0', PARTITIONS_REPLICA: '1' })
  await answersWith(replica, second, 'one')

  const { held, release } = await holdReplica(instances)
  await held
  const writer = instances.open({ PARTITIONS: '1', KAFKA_BROKERS: broker.direct })
  await instances.ready(writer)
  await instances.write({ [third]: 'two' })
  await answersWith(writer, third, 'two')
  const admin = kafkaClient({ bootstrap: broker.direct }).admin()
  await admin.connect()
  const [, end = 0] = await instances.ends(instances.changelog)
  await admin.fetchTopicOffsets(instances.changelog) // else kafkajs does not know the topic's leaders
  await admin.deleteTopicRecords({
    topic: instances.changelog,
    partitions: [{ partition: 1, offset: String(end - 1) }],
  })
  await admin.disconnect()
  release()
  await answersWith(replica, third, 'two')
  await until('it has filled', () => detailOf(replica, 1).state === 'running')
  expect([await answer(replica, first), await answer(replica, second)]).toEqual(['key_not_found', 'key_not_found'])
  expect(detailOf(replica, 1).entries).toBe(1)
})

test('primary and replica continue when a killed broker returns', async () => {
  await using instances = await Instances.create({ broker })
  await instances.write({ a: '1', b: '1', c: '1', d: '1' })
  const primary = await instances.openReady()
  const replica = await instances.openReady({ USE_REPLICA_ONLY: 'true' })
  await instances.agrees(replica, [0, 1, 2])
  await broker.kill()
  try {
    await until('it is reported', () => /changelog consumer: .* still retrying/.test(replica.status().reason ?? ''))
    expect(await answer(replica, 'a')).toBe('1')
    expect(isReady(replica)).toBe(true)
  } finally {
    await broker.start()
  }
  await instances.write({ a: '2', b: null, e: '2' })
  await instances.agrees(replica, [0, 1, 2])
  await instances.agrees(primary, [0, 1, 2])
  await until('its trouble is over', () => replica.status().reason === undefined)
})

test('a replica has an unknown lag, and max-lag refuses, while the broker is frozen', async () => {
  await using instances = await Instances.create({ broker })
  const [key = ''] = instances.keysOf(1, 1)
  await instances.write({ [key]: 'here' })
  await instances.openReady({ PARTITIONS: '1' })
  const replica = await instances.openReady({ PARTITIONS: '0', PARTITIONS_REPLICA: '1' })
  await answersWith(replica, key, 'here')
  expect(await lookUp(replica, key, 0)).toMatchObject({ status: 200, role: 'replica', lag: '0' })
  freeze(broker)
  try {
    expect(await lookUp(replica, key, 0)).toMatchObject({ status: 200, lag: '0' })
    await until('its lag is not known', () => detailOf(replica, 1).lag === null)
    expect(await lookUp(replica, key)).toMatchObject({ status: 200, role: 'replica', lag: 'unknown' })
    expect(await lookUp(replica, key, 1_000_000)).toMatchObject({ status: 503, code: 'too_stale' })
    expect(isReady(replica)).toBe(true)
  } finally {
    thaw(broker)
  }
  await until('its lag is known again', () => detailOf(replica, 1).lag === 0)
  // An end that the broker was asked for while it was frozen is nearly too old when it comes.
  let thawed = await lookUp(replica, key, 0)
  await until('it stays known', async () => {
    thawed = await lookUp(replica, key, 0)
    return thawed.code !== 'too_stale'
  })
  expect(thawed).toMatchObject({ status: 200, lag: '0' })
})

/** As HTTP answers it. */
async function lookUp(store: Store, key: string, maxLag?: number) {
  const target = `/stores/${store.id}/${key}${maxLag === undefined ? '' : `?max-lag=${maxLag}`}`
  const response = await createHandler(store)(new Request(`http://localhost${target}`))
  const { headers, status } = response
  const code = status === 200 ? undefined : ((await response.json()) as { code: string }).code
  return { status, code, role: headers.get('x-latchkey-role'), lag: headers.get('x-latchkey-lag') }
}
