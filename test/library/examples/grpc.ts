/**
 * gRPC and HTTP before one store: `bun grpc.ts`, with SOURCE_TOPIC, KAFKA_BROKERS, and ports in PORT and GRPC_PORT. Both read the same memory;
 * calls that read are answered at once, with their own reader.
 */
import { type sendUnaryData, Server, ServerCredentials, type ServerUnaryCall, status } from '@grpc/grpc-js'
import { LatchkeyError, openStore, serve } from '../../../lib/index.ts'
import orders from './orders.ts'
import { serviceOf } from './proto-service.ts'

interface OrderMessage {
  id: string
  status: string
  cents: number
}

type Call<Request> = ServerUnaryCall<Request, OrderMessage>
type Answer = sendUnaryData<OrderMessage>

const { SOURCE_TOPIC = 'orders', KAFKA_BROKERS = 'localhost:9092', PORT = '8080', GRPC_PORT = '9090' } = process.env

await using store = openStore({ sourceTopic: SOURCE_TOPIC, kafkaBrokers: KAFKA_BROKERS }, orders)
using reader = store.reader()

const grpc = new Server()
grpc.addService(await serviceOf(`${import.meta.dir}/orders.proto`, 'orders.v1.Orders'), {
  get({ request: { id } }: Call<{ id: string }>, answer: Answer) {
    try {
      const order = reader.get(id)
      answer(order ? null : notFound(id), order && { id, ...order })
    } catch (error) {
      answer(failure(error))
    }
  },
  async setStatus({ request }: Call<{ id: string; status: string }>, answer: Answer) {
    const { id } = request
    try {
      const order = await store.get(id)
      if (order === undefined) return answer(notFound(id))
      const changed = { ...order, status: request.status }
      await store.put(id, changed)
      await store.flush()
      answer(null, { id, ...changed })
    } catch (error) {
      answer(failure(error))
    }
  },
})

const { promise: listening, resolve, reject } = Promise.withResolvers<number>()
const credentials = ServerCredentials.createInsecure()
grpc.bindAsync(`0.0.0.0:${GRPC_PORT}`, credentials, (error, port) => (error ? reject(error) : resolve(port)))
const grpcPort = await listening
const http = Bun.serve({ port: Number(PORT), fetch: serve(store) })
console.log(`HTTP at port ${http.port}, gRPC at port ${grpcPort}`)

await new Promise((ended) => process.once('SIGTERM', ended))
grpc.forceShutdown()
await http.stop()

function notFound(id: string) {
  return { code: status.NOT_FOUND, details: `there is no order ${id}` }
}

/** A store that still recovers will answer later; the client may retry. */
function failure(error: unknown) {
  const isTemporary = error instanceof LatchkeyError && error.retriable
  return { code: isTemporary ? status.UNAVAILABLE : status.INTERNAL, details: String((error as Error).message) }
}
