/** ON_BAD_RECORD=stop: a partition stands still at a record that cannot be stored, and everything else continues. */
import { expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import type { Store } from '../../lib/store/store.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const stop = { onBadRecord: 'stop' } as const

async function halted(store: Store, partition = 0): Promise<void> {
  await until('the partition has halted, with its reason', () => {
    const state = store.status().details.find((one) => one.partition === partition)?.state
    return (
      state === 'halted' && unmet(store).some((reason) => reason.includes(`partition ${partition}: halted at offset`))
    )
  })
}

function unmet(store: Store): string[] {
  return store
    .status()
    .conditions.filter(({ ok }) => !ok)
    .map(({ name, reason }) => `${name}: ${reason}`)
}

test('a partition halts at a bad record, keeps serving, is not ready, and others continue', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce([
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
  ])
  const store = fixture.openLogged(stop)
  await fixture.quiet(store)
  await fixture.produce([
    { key: 'a', value: '3' },
    { key: null, value: 'bad' },
    { key: 'b', value: '4' },
  ])
  await halted(store)
  await fixture.produce([{ key: 'c', value: '5', partition: 1 }])
  await until('the other partition continues', async () => (await fixture.value(store, 'c')) === '5')
  await store.flush()
  expect(await fixture.value(store, 'a')).toBe('3')
  expect(await fixture.value(store, 'b')).toBe('2')
  const found = `${fixture.source} partition 0: halted at offset 3, it has no key`
  expect(unmet(store)).toEqual([expect.stringContaining(`not_halted: ${found}`)])
  expect(store.status().reason).toContain(found)
  expect(store.status().reason).toContain('or set ON_BAD_RECORD=skip')
  expect(fixture.lines.filter((line) => line.includes(found))).toHaveLength(1)
  expect(store.stats.count('skippedNullKey')).toBe(0)
  expect((await fixture.readChangelog()).records.map(({ key, value }) => `${key} ${value}`)).toEqual([
    'a 1',
    'b 2',
    'a 3',
    'c 5',
  ])
  await store.close()
  expect((await fixture.committed()).get(0)).toBe(3)
})

test('a halted partition halts at the same record after a restart, and continues once the record may be skipped', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: null, value: 'bad' },
    { key: 'a', value: '1' },
  ])
  for (let start = 0; start < 2; start++) {
    const store = fixture.open({ ...stop, readyWhen: 'recovered' })
    await halted(store)
    await store.flush()
    expect(unmet(store)).toEqual([expect.stringContaining('halted at offset 0')])
    // Nothing moves any more.
    expect([store.progress(), store.haltedRemaining()]).toEqual([null, [0]])
    await store.close()
  }
  await fixture.startAndStop()
})

test('a partition halts at a record that the changelog refuses, with everything before it and nothing after it stored', async () => {
  await using fixture = await Fixture.create({ changelog: { 'max.message.bytes': '200000' } })
  const store = fixture.open(stop)
  await fixture.quiet(store)
  await fixture.cluster.configure(fixture.changelog, { 'max.message.bytes': '20000' })
  const messages = Array.from({ length: 40 }, (_, i) => ({
    key: `k${i}`,
    value: randomBytes(i === 17 ? 25_000 : 3_000),
  }))
  await fixture.produce(messages)
  await halted(store)
  await store.flush()
  expect(store.status().details[0]).toMatchObject({ position: 17 })
  expect(unmet(store)).toEqual([expect.stringContaining('halted at offset 17, the changelog refuses it')])
  expect((await fixture.readChangelog()).records.map(({ src }) => src)).toEqual(Array.from({ length: 17 }, (_, i) => i))
  await store.close()
  expect((await fixture.committed()).get(0)).toBe(17)
})

test.each([
  ['cannot be stored', async (fixture: Fixture) => fixture.produce([{ key: null, value: 'bad' }])],
  [
    'the changelog refuses',
    async (fixture: Fixture) => {
      await fixture.cluster.configure(fixture.changelog, { 'max.message.bytes': '20000' })
      await fixture.produce([{ key: 'large', value: randomBytes(25_000) }])
    },
  ],
])(
  'a program writes to a partition that has halted at a record which %s, and halts there again after a restart',
  async (_, spoil) => {
    await using fixture = await Fixture.create({ changelog: { 'max.message.bytes': '200000' } })
    await fixture.produce([{ key: 'a', value: '1' }])
    const first = fixture.open(stop)
    await fixture.quiet(first)
    await spoil(fixture)
    await halted(first)
    await first.write(Buffer.from('own'), Buffer.from('2'))
    await first.flush()
    expect(await fixture.value(first, 'own')).toBe('2')
    await first.close()
    const again = fixture.open({ ...stop, readyWhen: 'recovered' })
    await halted(again)
    expect(unmet(again)).toEqual([expect.stringContaining('halted at offset 1')])
    expect(await fixture.value(again, 'own')).toBe('2')
    expect(await fixture.value(again, 'a')).toBe('1')
  },
)

test('the executable reports a halted partition over HTTP, and still answers', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([
    { key: 'a', value: '1', headers: { trace: '7f' } },
    { key: null, value: 'bad' },
  ])
  const settings = {
    SOURCE_TOPIC: fixture.source,
    KAFKA_BROKERS: fixture.cluster.broker.bootstrap,
    ON_BAD_RECORD: 'stop',
    KEEP_HEADERS: 'trace',
    ...localPort,
  }
  const store = await LatchkeyProcess.start({ settings })
  try {
    const halt = `${fixture.source} partition 0: halted at offset 1, it has no key`
    await store.until(
      'it has halted',
      async () => (await store.metric('latchkey_partition_state')) > 0 && store.stderr.includes(halt),
    )
    expect((await store.get(`/flush-store/${fixture.storeId}`, { method: 'POST' })).status).toBe(200)
    const readiness = await store.get('/readyz?verbose')
    expect(readiness.status).toBe(503)
    expect(await readiness.text()).toContain(`[-]not_halted ${halt}`)
    expect((await store.status(fixture.storeId))!.details[0]).toMatchObject({ state: 'halted', position: 1 })
    const metrics = await (await store.get('/metrics')).text()
    expect(metrics).toMatch(/^latchkey_condition\{name="not_halted"\} 0$/m)
    expect(metrics).toMatch(/^latchkey_partition_state\{.*state="halted".*\} 1$/m)
    const answer = await store.get(`/stores/${fixture.storeId}/a`)
    expect([await answer.text(), answer.headers.get('x-kafka-header-trace')]).toEqual(['1', '7f'])
    expect(await store.stop()).toBe(0)
  } finally {
    await store.close()
  }
})
