import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { createTopic, kafkaClient, sharedKafka, startKafka, uniqueName } from './index.ts'

test('sharedKafka returns one broker when asked twice', async () => {
  const [one, other] = await Promise.all([sharedKafka(), sharedKafka()])
  expect(one).toBe(other)
})

test('createTopic makes partitions with leaders when given a count', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('create'), {
    partitions: 3,
    config: { 'cleanup.policy': 'compact' },
  })
  const admin = kafkaClient(broker).admin()
  await admin.connect()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  expect(topics[0]?.partitions.map((partition) => partition.leader)).toEqual([1, 1, 1])
})

test("java runs Kafka's own tools when given a class, arguments and input", async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('tools'))
  const server = ['--bootstrap-server', broker.bootstrap, '--topic', topic]
  const produced = await broker.java('org.apache.kafka.tools.ConsoleProducer', server, 'one\ntwo\n')
  expect(produced).toMatchObject({ exitCode: 0 })
  const offsets = await broker.java('org.apache.kafka.tools.GetOffsetShell', server)
  expect(offsets.stdout.trim()).toBe(`${topic}:0:2`)
})

test('a broker keeps its port and data when it is killed, stopped and started again', async () => {
  const broker = await startKafka()
  const { bootstrap, logDir } = broker
  try {
    const topic = await createTopic(broker, uniqueName('kept'))
    await broker.kill()
    await broker.start()
    await broker.stop()
    await broker.start()
    expect(broker.bootstrap).toBe(bootstrap)
    const admin = kafkaClient(broker).admin()
    await admin.connect()
    expect(await admin.listTopics()).toContain(topic)
    await admin.disconnect()
  } finally {
    await broker.close()
  }
  expect(logDir && existsSync(logDir)).toBeFalsy()
})
