import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { credentials, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js'
import { createTopic, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Cluster } from '../support/kafka/topic-admin.ts'
import { Program } from '../support/library/program.ts'
import { until } from '../support/until.ts'
import { serviceOf } from './examples/proto-service.ts'

const examples = join(import.meta.dir, 'examples')

type Unary = (request: object, answer: (error: ServiceError | null, value: unknown) => void) => void

function ask(client: Record<string, unknown>, method: string, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    ;(client[method] as Unary)(request, (error, value) => (error ? reject(error) : resolve(value)))
  })
}

test('gRPC and HTTP read and write the same store', async () => {
  const broker = await sharedKafka()
  const topic = uniqueName('orders')
  await createTopic(broker, topic, { partitions: 2 })
  await new Cluster(broker).produce(topic, [{ key: '10002', value: '{"status":"open","cents":2390}' }])
  const environment = { SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, PORT: '0', GRPC_PORT: '0' }
  await using program = new Program('grpc.ts', examples, environment)
  const [, http, grpc] = await program.printed(/HTTP at port (\d+), gRPC at port (\d+)/)

  const Client = makeGenericClientConstructor(await serviceOf(join(examples, 'orders.proto'), 'orders.v1.Orders'), '')
  const client = new Client(`127.0.0.1:${grpc}`, credentials.createInsecure()) as unknown as Record<string, unknown>
  const get = async (id: string) => {
    for (;;) {
      try {
        return await ask(client, 'get', { id })
      } catch (error) {
        // It recovers still.
        if ((error as ServiceError).code !== status.UNAVAILABLE) return (error as ServiceError).details
      }
    }
  }
  await until('it is ready', async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).ok)
  expect(await get('10002')).toEqual({ id: '10002', status: 'open', cents: 2390 })
  expect(await get('1')).toBe('there is no order 1')
  const paid = { id: '10002', status: 'paid', cents: 2390 }
  expect(await ask(client, 'setStatus', { id: '10002', status: 'paid' })).toEqual(paid)
  expect(await get('10002')).toEqual(paid)
  const response = await fetch(`http://127.0.0.1:${http}/stores/${topic}/10002`)
  expect(await response.json()).toEqual({ status: 'paid', cents: 2390 })
  ;(client['close'] as () => void)()
  expect(await program.stop()).toBe(0)
  expect(program.stderr).toBe('')
})
