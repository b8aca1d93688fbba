/**
 * The one file that reaches into kafkajs: a connection to one broker, with TLS, SASL and version negotiation as kafkajs does them,
 * and raw requests through it. What kafkajs decides above that level (retries, metadata, reconnects, its consumer and producer) is not
 * used: after a failure a connection is destroyed and a new one made, because its own reconnect can stall without an error
 * (tulios/kafkajs#659, #1147, #1163). Pinned to 2.2.4; test/kafka/kafkajs.test.ts holds this seam.
 */
import net from 'node:net'
import tls from 'node:tls'
import Broker from 'kafkajs/src/broker'
import ConnectionPool from 'kafkajs/src/network/connectionPool'
import RequestQueue from 'kafkajs/src/network/requestQueue'
import Encoder from 'kafkajs/src/protocol/encoder'
import { requests } from 'kafkajs/src/protocol/requests'
import { LatchkeyError, messageOf } from '../errors.ts'

export { Encoder }

// kafkajs arms a timer of negative length after every request (tulios/kafkajs#1751): arm it only where something waits.
const scheduleCheck = RequestQueue.prototype.scheduleCheckPendingRequests
RequestQueue.prototype.scheduleCheckPendingRequests = function schedule() {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheck.call(this)
}

export interface BrokerAddress {
  host: string
  port: number
}

export interface ConnectionOptions {
  clientId: string
  connectionTimeoutMs: number
  ssl?: tls.ConnectionOptions
  sasl?: Record<string, unknown>
}

/** A request encoded by us; the response comes back as the bytes after the correlation id. */
export interface RawRequest {
  apiKey: number
  apiVersion: number
  apiName: string
  encode: () => Encoder
}

const silentLogger = { namespace: () => silentLogger, debug() {}, info() {}, warn() {}, error() {} }

/** TCP_NODELAY, which kafkajs's own factory does not set, so that small requests do not wait for an acknowledgement. */
function socketFactory(options: {
  host: string
  port: number
  ssl?: tls.ConnectionOptions
  onConnect: () => void
}): net.Socket {
  const { host, port, ssl, onConnect } = options
  const socket =
    ssl === undefined || ssl === null
      ? net.connect({ host, port }, onConnect)
      : tls.connect({ host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}), ...ssl }, onConnect)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)
  return socket
}

/**
 * One broker, two TCP connections: one for Fetch, which may wait at the broker, one for everything else. Connected on first use.
 * Once closed, or after a request failed on the way, it stays closed: make a new one.
 */
export class BrokerConnection {
  readonly address: BrokerAddress
  readonly #broker: Broker
  readonly #connectionTimeoutMs: number
  #connecting: Promise<void> | undefined
  #closed = false

  constructor(address: BrokerAddress, options: ConnectionOptions) {
    this.address = address
    const { clientId, connectionTimeoutMs, ssl, sasl } = options
    const connectionPool = new ConnectionPool({
      ...address,
      ssl: ssl ?? null,
      sasl: sasl ?? null,
      clientId,
      connectionTimeout: connectionTimeoutMs,
      // Deadlines are ours (send), so kafkajs runs no timer for them.
      requestTimeout: 2 ** 31 - 1,
      enforceRequestTimeout: false,
      maxInFlightRequests: null,
      logger: silentLogger,
      socketFactory,
    })
    this.#broker = new Broker({ connectionPool, logger: silentLogger, allowAutoTopicCreation: false })
    this.#connectionTimeoutMs = connectionTimeoutMs
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The response body of a raw request, a view of the whole response: copy what must outlive the next one. Rejects with `broker_unreachable` or `request_timed_out`. */
  send(request: RawRequest, timeoutMs: number): Promise<Buffer> {
    const { apiKey, apiVersion, apiName } = request
    const response = {
      decode: async (raw: Buffer) => ({ raw }),
      parse: async (decoded: { raw: Buffer }) => decoded.raw,
    }
    return this.#exchange(
      { request: { apiKey, apiVersion, apiName, encode: async () => request.encode() }, response },
      apiName,
      timeoutMs,
    ) as Promise<Buffer>
  }

  /** One of kafkajs's own requests, decoded by it, with the error codes inside left to the caller. */
  call(apiName: string, apiVersion: number, args: Record<string, unknown>, timeoutMs: number): Promise<unknown> {
    const { request, response } = requests[apiName]!.protocol({ version: apiVersion })(args)
    return this.#exchange(
      { request, response: { decode: response.decode, parse: async (decoded: unknown) => decoded } },
      apiName,
      timeoutMs,
    )
  }

  async #exchange(protocol: Record<string, unknown>, apiName: string, timeoutMs: number): Promise<unknown> {
    const where = `${this.address.host}:${this.address.port}`
    if (this.#closed) throw new LatchkeyError('broker_unreachable', `${apiName} to ${where}: the connection is closed`)
    try {
      this.#connecting ??= deadline(this.#broker.connect(), 2 * this.#connectionTimeoutMs)
      await this.#connecting
      return await deadline(this.#broker.connectionPool.send({ ...protocol, logResponseError: false }), timeoutMs)
    } catch (error) {
      this.close()
      throw connectionError(error, `${apiName} to ${where}`)
    }
  }

  /** Ends both connections at once; requests under way are rejected. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const connection of this.#broker.connectionPool.pool) {
      connection.rejectRequests(new Error('the connection was closed'))
      connection.requestQueue.destroy()
      connection.socket?.destroy()
    }
  }
}

class DeadlinePassed extends Error {}

async function deadline<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const passed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlinePassed(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, passed])
  } finally {
    clearTimeout(timer)
    promise.catch(() => {})
  }
}

function connectionError(error: unknown, attempted: string): LatchkeyError {
  if (error instanceof LatchkeyError) return error
  const message = `${attempted}: ${messageOf(error)}`
  if (error instanceof DeadlinePassed) return new LatchkeyError('request_timed_out', message, { cause: error })
  const name = error instanceof Error ? error.name : ''
  if (name === 'KafkaJSSASLAuthenticationError') {
    return new LatchkeyError('authentication_failed', message, { cause: error })
  }
  return new LatchkeyError('broker_unreachable', message, { cause: error })
}
