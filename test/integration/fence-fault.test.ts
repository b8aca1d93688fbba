import { expect, test } from 'bun:test'
import { localPort, LatchkeyProcess } from '../binary/latchkey-process.ts'
import { createTopic, sharedKafka, uniqueName } from '../kafka/index.ts'
import { readTopic } from './fault-support/oracle.ts'

const stores = 2
const partitions = 32

/**
 * A broker that is asked to mark several transactions, one of them on a partition that it has not opened yet, never answers, and asks
 * itself again only after 30 s.
 */
test('a store takes each partition once when it has just created its changelog', async () => {
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
