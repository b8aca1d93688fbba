/** The executable over a topic of users, with a port for Redis clients. */
import { LatchkeyProcess, localPort } from '../binary/latchkey-process.ts'
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../kafka/index.ts'

export interface RedisStore extends AsyncDisposable {
  /** Of the Redis protocol. */
  readonly port: number
  readonly latchkey: LatchkeyProcess
}

export interface UsersTopic {
  readonly broker: KafkaBroker
  readonly topic: string
}

/** A topic with the keys `user:<n>`, whose values are `{"n":<n>}`, and the key `other` with a long one. */
export async function fillUsers(records: number): Promise<UsersTopic> {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('redis'), { partitions: 3 })
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  const users = Array.from({ length: records }, (_, index) => ({ key: `user:${index}`, value: `{"n":${index}}` }))
  await producer.send({ topic, messages: [...users, { key: 'other', value: 'ü'.repeat(10_000) }] })
  await producer.disconnect()
  return { broker, topic }
}

/** Produces a record of a key; without a value, which deletes it. */
export async function change(users: UsersTopic, key: string, value: string | null): Promise<void> {
  await changeAll(users, [{ key, value }])
}

export async function changeAll(
  { broker, topic }: UsersTopic,
  messages: { key: string; value: string | null }[],
): Promise<void> {
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages })
  await producer.disconnect()
}

/** Resolves when it listens; it may still recover. */
export async function startRedisStore(
  { broker, topic }: UsersTopic,
  settings: Readonly<Record<string, string>> = {},
): Promise<RedisStore> {
  const all = { ...localPort, RESP_PORT: '0', SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ...settings }
  const latchkey = await LatchkeyProcess.start({ settings: all })
  await latchkey.until('it prints the port', () => latchkey.redisPort !== undefined)
  return { port: latchkey.redisPort!, latchkey, [Symbol.asyncDispose]: () => latchkey.close() }
}
