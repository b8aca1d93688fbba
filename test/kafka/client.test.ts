import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { freePorts } from '../support/process/ports.ts'
import { until } from '../support/until.ts'

const open: KafkaClient[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function client(...seedsBefore: string[]): Promise<KafkaClient> {
  const opened = await realClient(...seedsBefore)
  open.push(opened)
  return opened
}

test('metadata reports partitions and leaders of a topic, and the error of one that does not exist', async () => {
  const topic = await createTopic(await sharedKafka(), uniqueName('metadata'), { partitions: 3 })
  const kafka = await client()
  const [found, missing] = await kafka.metadata([topic, 'no-such-topic'])
  expect(found).toMatchObject({ topic, errorCode: 0 })
  expect(found!.partitions.map(({ partition, replicas }) => [partition, replicas])).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
  ])
  expect(missing).toMatchObject({ topic: 'no-such-topic', errorCode: 3, partitions: [] })
  const node = found!.partitions[0]!.leader
  expect(await kafka.leaders(topic, [0, 2, 7])).toEqual(new Map([[node, [0, 2]]]))
  kafka.forgetLeader(topic, 0)
  expect(kafka.leader(topic, 0)).toBeUndefined()
  expect(kafka.leader(topic, 1)).toBe(node)
})

test('retryForever continues with the next seed when one does not answer', async () => {
  const [port] = await freePorts(1)
  const kafka = await client(`127.0.0.1:${port}`)
  const topics = await kafka.retryForever(() => kafka.metadata(['no-such-topic']))
  expect(topics).toHaveLength(1)
  expect(kafka.health).toMatchObject({ failures: 1, trouble: undefined })
})

test('retryForever ends with an error that is not retriable', async () => {
  const kafka = await client()
  for (const failure of [new LatchkeyError('broker_refused', 'no'), new TypeError('a defect')]) {
    const operation = async () => {
      throw failure
    }
    expect(await kafka.retryForever(operation).catch((error: unknown) => error)).toBe(failure)
  }
})

test('retryForever ends as stopping when the client is closed while it waits', async () => {
  const kafka = await client()
  const failing = () => Promise.reject(new LatchkeyError('broker_error', 'not yet'))
  const ended = kafka.retryForever(failing).catch((error: unknown) => error)
  await until('it has failed', () => kafka.health.failures > 0)
  kafka.close()
  expect(await ended).toMatchObject({ code: 'stopping' })
})

test('a closed client reaches no broker', async () => {
  const kafka = await client()
  await kafka.metadata([])
  kafka.close()
  expect(await kafka.metadata([]).catch((error: unknown) => error)).toMatchObject({ code: 'broker_unreachable' })
  expect(() => kafka.call(1, 'Metadata', 6, { topics: [] })).toThrow(
    expect.objectContaining({ code: 'broker_unreachable' }),
  )
})

test('coordinator finds the broker of a group and of a transactional id', async () => {
  const kafka = await client()
  const find = (kind: 'group' | 'transaction') => kafka.retryForever(() => kafka.coordinator(kind, uniqueName('one')))
  expect(await find('group')).toBeGreaterThan(0)
  expect(await find('transaction')).toBeGreaterThan(0)
})
