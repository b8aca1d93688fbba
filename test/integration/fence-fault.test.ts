import { expect, test } from 'bun:test'
import { fencePartition, newClaim } from '../../lib/kafka/fence.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { readTopic } from '../support/fault-run/oracle.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

const stores = 2
const partitions = 32

/**
 * A broker that is asked to mark several transactions, one of them on a partition that it has not opened yet, never answers, and asks
 * itself again only after 30 s.
 */
test('a store fences each partition once when it has just created its changelog', async () => {
  const broker = await sharedKafka()
  for (let store = 0; store < stores; store++) {
    const topic = await createTopic(broker, uniqueName('fence'), { partitions })
    const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap }
    const latchkey = await LatchkeyProcess.start({ settings })
    try {
      await latchkey.until('it is ready', () => latchkey.isReady())
      const { markers } = await readTopic(broker.direct, `${topic}-changelog`)
      expect(markers.map(({ partition, offset }) => [partition, offset])).toEqual(
        Array.from({ length: partitions }, (_, partition) => [partition, 0]),
      )
    } finally {
      await latchkey.close()
    }
  }
})

/** A broker that is not sure whether a marker was written, because it was restarted at that moment, writes it again. */
test('a foreign marker in the changelog is no sign of another writer, and a foreign record is', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('foreign'))
  const changelog = `${topic}-changelog`
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap }
  const latchkey = await LatchkeyProcess.start({ settings })
  const client = await realClient()
  const producer = kafkaClient(broker).producer()
  const write = async (value: string) => {
    await producer.send({ topic, messages: [{ key: 'a', value }] })
    await latchkey.until(`it answers ${value}`, async () => {
      return (await (await latchkey.get(`/stores/${topic}/a`)).text()) === value
    })
  }
  const complaint = (offset: number) => `${changelog} partition 0: another writer has appended before offset ${offset}`
  try {
    await producer.connect()
    await latchkey.until('it is ready', () => latchkey.isReady())
    await write('one')
    const other = { client, transactionalId: uniqueName('other'), topic: changelog, partition: 0 }
    await fencePartition({ ...other, markers: async () => [] }, newClaim())
    await until('the marker is there', async () => (await readTopic(broker.direct, changelog)).markers.length === 2)
    await write('two')
    await producer.send({ topic: changelog, messages: [{ key: 'b', value: 'foreign' }] })
    await write('three')
    await latchkey.until('it is reported', async () =>
      ((await latchkey.status(topic))?.reason ?? '').includes(complaint(5)),
    )
    expect(latchkey.stderr).toContain(complaint(5))
    expect(latchkey.stderr).not.toContain(complaint(3))
    expect(await latchkey.metric('latchkey_foreign_writes_total')).toBe(1)
  } finally {
    await Promise.all([producer.disconnect(), latchkey.close()])
    client.close()
  }
})
