/** Properties of connections and requests, for all three clients. The ranges are those of librdkafka. */
import { parseBrokerList } from '../broker-list.ts'
import { choice, type PropertyType, text, trueOrFalse, whole } from './parsers.ts'
import { allClients, property } from './property.ts'

const int32Max = 2_147_483_647

const brokers: PropertyType<ReturnType<typeof parseBrokerList>> = {
  allowed: 'host:port, several separated by \\,',
  read(given) {
    try {
      return parseBrokerList(given)
    } catch (fault) {
      throw new RangeError(`${this.allowed}; ${(fault as RangeError).message}`, { cause: fault })
    }
  },
}

export const connectionProperties = [
  property('bootstrap.servers', allClients, brokers, (draft, value) => (draft.connection.brokers = value), {
    aliases: ['metadata.broker.list'],
  }),
  property('client.id', allClients, text(), (draft, value) => (draft.connection.clientId = value)),
  property(
    'socket.timeout.ms',
    allClients,
    whole(10, 300_000),
    (draft, value) => (draft.connection.requestTimeoutMs = value),
  ),
  property('socket.connection.setup.timeout.ms', allClients, whole(1_000, int32Max), (draft, value) => {
    draft.connection.connectionTimeoutMs = value
  }),
  property(
    'socket.keepalive.enable',
    allClients,
    trueOrFalse(),
    (draft, value) => (draft.connection.keepAlive = value),
  ),
  property('socket.nagle.disable', allClients, trueOrFalse(), (draft, value) => (draft.connection.noDelay = value)),
  property(
    'broker.address.family',
    allClients,
    choice<0 | 4 | 6>({ any: 0, v4: 4, v6: 6 }),
    (draft, value) => (draft.connection.family = value),
  ),
  property(
    'metadata.max.age.ms',
    allClients,
    whole(1, 86_400_000),
    (draft, value) => (draft.connection.metadataMaxAgeMs = value),
  ),
  property('topic.metadata.refresh.interval.ms', allClients, whole(-1, 3_600_000), (draft, value) => {
    draft.connection.metadataMaxAgeMs = Math.max(value, 0)
  }),
  property('retry.backoff.ms', allClients, whole(1, 300_000), (draft, value) => {
    draft.connection.retryBackoffMs = value
    draft.connection.retryBackoffMaxMs = Math.max(value, draft.connection.retryBackoffMaxMs)
  }),
  property('retry.backoff.max.ms', allClients, whole(1, 300_000), (draft, value) => {
    draft.connection.retryBackoffMaxMs = value
    draft.connection.retryBackoffMs = Math.min(value, draft.connection.retryBackoffMs)
  }),
  property(
    'retries',
    allClients,
    whole(0, int32Max),
    (draft, value) => (draft.connection.retriesMax = value === int32Max ? Number.POSITIVE_INFINITY : value),
    {
      aliases: ['message.send.max.retries'],
      notice: (value) =>
        value === int32Max
          ? undefined
          : `after ${value} failed retries in a row of one request the store ends with exit code 1`,
    },
  ),
  property(
    'max.in.flight.requests.per.connection',
    allClients,
    whole(1, 1_000_000),
    (draft, value) => (draft.connection.inFlightMax = value),
    { aliases: ['max.in.flight'] },
  ),
  property(
    'receive.message.max.bytes',
    allClients,
    whole(1_000, int32Max),
    (draft, value) => (draft.connection.receiveBytesMax = value),
  ),
]
