/**
 * The one file that reaches into kafkajs: a connection to one broker, with TLS, SASL and version negotiation as kafkajs does them,
 * and raw requests through it. What kafkajs decides above that level (retries, metadata, reconnects, its consumer and producer) is not
 * used: after a failure a connection is destroyed and a new one made, because its own reconnect can stall without an error
 * (tulios/kafkajs#659, #1147, #1163). Pinned to 2.2.4; test/kafka/connection/kafkajs.test.ts holds this seam.
 */
import Broker from 'kafkajs/src/broker'
import ConnectionPool, { type Connection } from 'kafkajs/src/network/connectionPool'
import RequestQueue from 'kafkajs/src/network/requestQueue'
import Encoder from 'kafkajs/src/protocol/encoder'
import { requests } from 'kafkajs/src/protocol/requests'
import { deadline } from '../../deadline.ts'
import { LatchkeyError, messageOf } from '../../errors.ts'
import { type RequestVersion, requireVersion, requireVersions } from './broker-versions.ts'
import { connectionFault, DeadlinePassed } from './connection-fault.ts'
import { malformed } from '../protocol/response-cursor.ts'
import { receiveBytesMaxDefault, ResponseFrames } from './response-frames.ts'
import { authenticateInTime, saslOptions } from './sasl.ts'
import { connectSocket, type SocketOptions } from './socket.ts'
import { type BrokerAddress, type SaslConfig } from '../../store-protocol/client-config.ts'

export { Encoder }

// kafkajs arms a timer of negative length after every request (tulios/kafkajs#1751): arm it only where something waits.
const scheduleCheck = RequestQueue.prototype.scheduleCheckPendingRequests
RequestQueue.prototype.scheduleCheckPendingRequests = function schedule() {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheck.call(this)
}

export interface ConnectionOptions extends SocketOptions {
  clientId: string
  /** For all that it takes until the broker answers: TCP, TLS, SASL. */
  connectionTimeoutMs: number
  sasl?: SaslConfig | null
  /** Unanswered requests on one connection; null for any number. */
  inFlightMax?: number | null
  /** Of a response; more is a fault. */
  receiveBytesMax?: number
}

/** A request encoded by us; the response comes back as the bytes after the correlation id. */
export interface RawRequest {
  apiKey: number
  apiVersion: number
  apiName: string
  /** Without its header. As buffers, what is large is not copied, and must stay as it is until the answer. */
  encode: () => Encoder | readonly Buffer[]
}

/** Requests of buffers up to this size are put together first. */
const joinedBytesMax = 65_536

const silentLogger = { namespace: () => silentLogger, debug() {}, info() {}, warn() {}, error() {} }

/**
 * One broker, two TCP connections: one for Fetch, which may wait at the broker, one for everything else. Connected on first use.
 * Once closed, or after a request failed on the way, it stays closed: make a new one.
 */
export class BrokerConnection {
  readonly address: BrokerAddress
  readonly #options: ConnectionOptions
  readonly #broker: Broker
  /** By place in kafkajs's pool. kafkajs itself opens a socket for every request that finds none open yet, and loses all but the last. */
  readonly #opening: Promise<unknown>[] = []
  readonly #opened: boolean[] = []
  #answered = false
  #closed = false

  constructor(address: BrokerAddress, options: ConnectionOptions) {
    this.address = address
    this.#options = options
    const connectionPool = new ConnectionPool({
      ...address,
      ssl: null, // the socket sees to that
      sasl: options.sasl ? saslOptions(options.sasl) : null,
      clientId: options.clientId,
      connectionTimeout: options.connectionTimeoutMs,
      // Deadlines are ours (send), so kafkajs runs no timer for them.
      requestTimeout: 2 ** 31 - 1,
      enforceRequestTimeout: false,
      maxInFlightRequests: options.inFlightMax ?? null,
      logger: silentLogger,
      socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) =>
        connectSocket(host, port, options, onConnect),
    })
    for (const connection of connectionPool.pool) {
      frameResponses(connection, address, options)
      authenticateInTime(connection)
    }
    this.#broker = new Broker({ connectionPool, logger: silentLogger, allowAutoTopicCreation: false })
  }

  /** Closed, or one of the two has been ended by the broker or the network. */
  get closed(): boolean {
    const { pool } = this.#broker.connectionPool
    return this.#closed || pool.some((connection, place) => this.#opened[place] === true && !connection.isConnected())
  }

  /** The highest version of a request that the broker knows; -1 where it does not know the request. */
  async versionMax(apiKey: number): Promise<number> {
    await this.#exchange(async () => {}, apiVersions, this.#options.connectionTimeoutMs)
    return this.#broker.versions?.[apiKey]?.maxVersion ?? -1
  }

  /** The response body of a raw request, a view of the whole response: copy what must outlive the next one. Rejects with `broker_unreachable` or `request_timed_out`. */
  send(request: RawRequest, timeoutMs: number): Promise<Buffer> {
    const { apiKey, apiVersion, apiName } = request
    const response = {
      decode: async (raw: Buffer) => ({ raw }),
      parse: async (decoded: { raw: Buffer }) => decoded.raw,
    }
    const body = request.encode()
    const send = () =>
      body instanceof Encoder
        ? this.#sendEncoded({ request: { apiKey, apiVersion, apiName, encode: async () => body }, response })
        : this.#sendBuffers(request, body)
    return this.#exchange(send, request, timeoutMs) as Promise<Buffer>
  }

  /** One of kafkajs's own requests, decoded by it, with the error codes inside left to the caller. */
  call(apiName: string, apiVersion: number, args: Record<string, unknown>, timeoutMs: number): Promise<unknown> {
    const { request, response } = requests[apiName]!.protocol({ version: apiVersion })(args)
    const decode = (raw: Buffer) =>
      response.decode(raw).catch((cause: unknown) => {
        throw malformed(apiName, messageOf(cause), cause)
      })
    const decoded = { decode, parse: async (body: unknown) => body }
    return this.#exchange(() => this.#sendEncoded({ request, response: decoded }), request, timeoutMs)
  }

  #sendEncoded(protocol: Record<string, unknown>): Promise<unknown> {
    return this.#broker.connectionPool.send({ ...protocol, logResponseError: false })
  }

  /** What kafkajs does to send a request, without its three copies of it (ingest spent a fifth of its time on these). */
  async #sendBuffers({ apiKey, apiVersion, apiName }: RawRequest, body: readonly Buffer[]): Promise<Buffer> {
    const connection = this.#broker.connectionPool.pool[others]!
    if (!connection.isAuthenticated()) await connection.authenticate()
    const correlationId = connection.nextCorrelationId()
    const header = new Encoder().writeInt16(apiKey).writeInt16(apiVersion).writeInt32(correlationId)
    header.writeString(this.#options.clientId)
    const bytes = body.reduce((sum, { length }) => sum + length, header.size())
    const head = new Encoder().writeInt32(bytes)
    head.writeBufferInternal(header.buffer)
    const { promise, resolve, reject } = Promise.withResolvers<{ payload: Buffer }>()
    connection.requestQueue.push({
      entry: { apiKey, apiVersion, apiName, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => {
        const parts = [head.buffer, ...body]
        // A small one goes out in one packet.
        for (const part of bytes > joinedBytesMax ? parts : [Buffer.concat(parts)]) connection.socket?.write(part)
      },
    })
    return (await promise).payload
  }

  async #exchange(send: () => Promise<unknown>, request: RequestVersion, timeoutMs: number): Promise<unknown> {
    const { host, port } = this.address
    const { apiName } = request
    if (this.#closed)
      throw new LatchkeyError('broker_unreachable', `${apiName} to ${host}:${port}: the connection is closed`)
    try {
      await this.#open(others)
      requireVersion(this.#broker.versions!, request, `${host}:${port}`)
      if (apiName === 'Fetch') await this.#open(fetches)
      const answer = await deadline(send(), timeoutMs, () => noAnswer(timeoutMs))
      // A listener that wants SASL answers to ApiVersions all the same.
      if (request !== apiVersions) this.#answered = true
      return answer
    } catch (error) {
      const wasClosed = this.#closed
      this.close()
      // Nothing to find out about a connection that we closed ourselves.
      const wasLetIn = Boolean(this.#options.sasl) && this.#opened[others] === true
      const answered = this.#answered || wasLetIn || wasClosed
      throw await connectionFault(error, apiName, this.address, this.#options, answered)
    }
  }

  /** The first one also asks the broker for its versions. */
  #open(place: number): Promise<unknown> {
    const open = () => (place === others ? this.#begin() : this.#broker.connectionPool.pool[place]!.connect())
    const { connectionTimeoutMs } = this.#options
    this.#opening[place] ??= deadline(open(), connectionTimeoutMs, () => noAnswer(connectionTimeoutMs)).then(
      () => (this.#opened[place] = true),
    )
    return this.#opening[place]
  }

  async #begin(): Promise<void> {
    await this.#broker.connect()
    requireVersions(this.#broker.versions!, `${this.address.host}:${this.address.port}`)
  }

  /** Ends both connections at once; requests under way are rejected. */
  close(why = 'the connection was closed'): void {
    if (this.#closed) return
    this.#closed = true
    for (const connection of this.#broker.connectionPool.pool) {
      connection.rejectRequests(new Error(why))
      connection.requestQueue.destroy()
      connection.socket?.destroy()
    }
  }
}

const apiVersions: RequestVersion = { apiKey: 18, apiVersion: 0, apiName: 'ApiVersions' }

/** Places in kafkajs's pool. */
const others = 0
const fetches = 1

/** In the place of kafkajs's own framing, which believes every length. */
function frameResponses(connection: Connection, { host, port }: BrokerAddress, options: ConnectionOptions): void {
  const { receiveBytesMax = receiveBytesMaxDefault } = options
  const frames = new ResponseFrames(`${host}:${port}`, receiveBytesMax, (frame) => {
    const payload = frame.subarray(4)
    connection.requestQueue.fulfillRequest({ correlationId: frame.readInt32BE(0), payload, size: frame.length })
  })
  let socket = connection.socket
  connection.processData = (chunk) => {
    if (connection.socket !== socket) frames.reset()
    socket = connection.socket
    try {
      frames.push(chunk)
    } catch (error) {
      connection.rejectRequests(error as Error)
      socket?.destroy()
    }
  }
}

function noAnswer(timeoutMs: number): never {
  throw new DeadlinePassed(`no answer within ${timeoutMs} ms`)
}
