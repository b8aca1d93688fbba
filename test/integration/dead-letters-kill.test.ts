/** ON_BAD_RECORD=dead-letter and kill -9: no letter is lost. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { LatchkeyProcess } from '../support/binary/latchkey-process.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'
import {
  badRecord,
  deadLetterSettings,
  deadLetterTopicOf,
  onProduceTo,
  settingsOf,
} from '../support/store/dead-letters.ts'
import { Fixture } from '../support/store/fixture.ts'
import { readDeadLetters } from '../support/store/read-dead-letters.ts'

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterAll(() => broker.close())

test('no dead letter is missing when the store is killed repeatedly while bad records come', async () => {
  await using fixture = await Fixture.create({ broker, partitions: 2 })
  const settings = settingsOf(broker, fixture)
  const random = Random.of('dead letters')
  let sent = 0
  // Letters come late, so that a store which did not wait for them would be ahead when it is killed.
  onProduceTo(broker, deadLetterTopicOf(fixture), () => (random.below(3) === 0 ? undefined : 'cut'))
  const pair = (number: number) => [
    { ...badRecord, partition: number % 2, value: `bad ${number}` },
    { key: `key ${number % 30}`, partition: number % 2, value: `good ${number}` },
  ]
  const feed = async () => {
    for (let round = 0; round < 30; round++) await fixture.produce([...pair(sent++), ...pair(sent++)])
  }
  const runUntilKilled = async () => {
    const store = await LatchkeyProcess.start({ settings })
    const runs = async () => (await store.status(fixture.storeId))?.state === 'running'
    await Promise.all([feed(), store.until('it runs', runs)])
    await Bun.sleep(random.below(60))
    await store.kill()
    await store.close()
  }
  for (let kill = 0; kill < 8; kill++) await runUntilKilled()
  broker.proxy!.onRequest = undefined
  const store = fixture.open(deadLetterSettings(fixture))
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  const letters = await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), sent)
  const values = new Set(letters.map(({ value }) => value))
  expect(Array.from({ length: sent }, (_, number) => `bad ${number}`).filter((value) => !values.has(value))).toEqual([])
})

test('a dead letter is not lost when the store is killed before the acknowledgement', async () => {
  await using fixture = await Fixture.create({ broker })
  await fixture.produce([{ key: 'before', value: '1' }, badRecord, { key: 'behind', value: '2' }])
  const settings = settingsOf(broker, fixture)
  let dropped = 0
  onProduceTo(broker, deadLetterTopicOf(fixture), () => {
    dropped++
    return 'drop'
  })
  const killed = await LatchkeyProcess.start({ settings })
  await killed.until('the letter is under way', () => dropped > 0)
  await killed.kill()
  await killed.close()
  expect((await fixture.readChangelog()).records).toEqual([])
  broker.proxy!.onRequest = undefined
  const store = await LatchkeyProcess.start({ settings })
  try {
    await store.until('it is ready', () => store.isReady())
    expect(await readDeadLetters(fixture.cluster, deadLetterTopicOf(fixture), 1)).toMatchObject([{ value: 'no key' }])
    expect(await (await store.get(`/stores/${fixture.storeId}/behind`)).text()).toBe('2')
  } finally {
    await store.close()
  }
})
