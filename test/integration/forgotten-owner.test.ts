/** The broker has forgotten the owner of a partition, and refuses no one: transactional.id.expiration.ms has passed. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { bootTimeMs } from '../../lib/linux/boot-time.ts'
import type { Store } from '../../lib/store/store.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const invalidProducerIdMapping = 49
const standstillMs = 6_000

let broker: KafkaBroker
beforeAll(async () => {
  const properties = {
    'transactional.id.expiration.ms': '2000',
    'transaction.remove.expired.transaction.cleanup.interval.ms': '500',
  }
  broker = await startKafka({ properties })
})
afterAll(() => broker.close())

/** Resolves when the broker has no producer id for the transactional id any more. */
async function forgotten(fixture: Fixture): Promise<void> {
  const { producerId } = (await fixture.readChangelog()).batches.at(-1)!
  const transactionalId = `latchkey-${fixture.storeId}-0`
  const topics = [{ topic: fixture.changelog, partitions: [0] }]
  await withClient(broker.direct, async (client) => {
    await until('the id is forgotten', async () => {
      const node = await client.coordinator('transaction', transactionalId)
      const args = { transactionalId, producerId: String(producerId), producerEpoch: 999, topics }
      const answer = (await client.call(node, 'AddPartitionsToTxn', 1, args)) as {
        errors: { partitionErrors: { errorCode: number }[] }[]
      }
      return answer.errors[0]!.partitionErrors[0]!.errorCode === invalidProducerIdMapping
    })
  })
}

function isFenced(store: Store): boolean {
  return store.status().conditions.some(({ name, ok }) => name === 'not_fenced' && !ok)
}

test('one of two stores continues when the broker has forgotten the first one at the start of the second', async () => {
  await using fixture = await Fixture.create({ broker })
  await fixture.produce([{ key: 'a', value: '1' }])
  const first = fixture.openLogged()
  await fixture.quiet(first)
  await forgotten(fixture)
  const second = fixture.openLogged()
  await fixture.quiet(second)
  for (let round = 0; !isFenced(first) && !isFenced(second); round++) {
    await fixture.produce([{ key: 'a', value: `round ${round}` }])
    await until('one has it', async () => (await fixture.value(second, 'a')) === `round ${round}` || isFenced(second))
  }
  expect([isFenced(first), isFenced(second)]).toEqual([true, false])
  await fixture.produce([{ key: 'z', value: 'last' }])
  await fixture.quiet(second)
  await fixture.expectConverged(second)
  const { records } = await fixture.readChangelog()
  expect(records.filter(({ key }) => key === 'z').length).toBe(1)
})

test('a store that was suspended takes its partition again before it writes', async () => {
  await using fixture = await Fixture.create({ broker })
  await fixture.produce([{ key: 'a', value: '1' }])
  const settings = { ...localPort, SOURCE_TOPIC: fixture.source, KAFKA_BROKERS: broker.bootstrap }
  const latchkey = await LatchkeyProcess.start({ settings })
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    latchkey.signal('SIGSTOP')
    const stoppedAt = bootTimeMs()
    await until('it stood still for long', () => bootTimeMs() - stoppedAt > standstillMs)
    await fixture.produce([{ key: 'a', value: '2' }])
    latchkey.signal('SIGCONT')
    await latchkey.until('it has written', async () => {
      return (await (await latchkey.get(`/stores/${fixture.source}/a`)).text()) === '2'
    })
    expect(latchkey.stderr).toMatch(/Stood still for \d+ s: taking the changelog again before it is written/)
    const writers = async (wanted: string) => {
      const { batches } = await fixture.readChangelog()
      return batches.filter(({ kind }) => kind === wanted).map(({ producerId }) => producerId)
    }
    // The marker may come a little later than what is written.
    await until('both markers are there', async () => (await writers('control')).length === 2)
    // The id had been forgotten: another producer id.
    const producerIds = await writers('records')
    expect(new Set(producerIds).size).toBe(2)
    expect(producerIds).toEqual(await writers('control'))
  } finally {
    await latchkey.close()
  }
})

test('a store that was suspended takes no partition from its new owner, even if the broker has forgotten both', async () => {
  await using fixture = await Fixture.create({ broker })
  await fixture.produce([{ key: 'a', value: '1' }])
  const settings = { ...localPort, SOURCE_TOPIC: fixture.source, KAFKA_BROKERS: broker.bootstrap }
  const latchkey = await LatchkeyProcess.start({ settings })
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    latchkey.signal('SIGSTOP')
    const stoppedAt = bootTimeMs()
    await forgotten(fixture)
    const later = fixture.open()
    await fixture.produce([{ key: 'a', value: '2' }])
    await fixture.quiet(later)
    await later.close()
    await forgotten(fixture)
    await until('it stood still for long', () => bootTimeMs() - stoppedAt > standstillMs)
    latchkey.signal('SIGCONT')
    await latchkey.until('it is reported', async () => {
      return /another instance .* has taken partition/.test((await latchkey.status(fixture.source))?.reason ?? '')
    })
    const { records } = await fixture.readChangelog()
    expect(records.map(({ value }) => value)).toEqual(['1', '2'])
  } finally {
    await latchkey.close()
  }
  await fixture.startAndStop()
})
