/**
 * A connection to one broker, with TLS, SASL and version negotiation of kafkajs, and raw requests through it. Only this
 * folder uses kafkajs's internals. Its higher levels (retries, metadata, reconnects, consumer, producer) are not
 * used: after a failure a connection is destroyed and replaced, because kafkajs's reconnect can stall without an error
 * (tulios/kafkajs#659, #1147, #1163). Pinned to 2.2.4; test/kafka/connection/kafkajs.test.ts covers it.
 */
import Broker from 'kafkajs/src/broker'
import ConnectionPool, { type Connection } from 'kafkajs/src/network/connectionPool'
import RequestQueue from 'kafkajs/src/network/requestQueue'
import { requests } from 'kafkajs/src/protocol/requests'
import { deadline } from '../../deadline.ts'
import { LatchkeyError, messageOf } from '../../errors.ts'
import { isTrace } from '../../log/index.ts'
import type { BrokerAddress } from '../../store-protocol/client-config.ts'
import { apiKeys } from '../protocol/api-keys.ts'
import { malformed } from '../protocol/response-cursor.ts'
import { requireVersion, requireVersions } from './broker-versions.ts'
import { connectionFault, DeadlinePassed } from './connection-fault.ts'
import { logRequest, observed } from './connection-log.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { Encoder, type RawRequest, sendBuffers } from './raw-request.ts'
import type { RequestVersion } from './request-version.ts'
import { receiveBytesMaxDefault, ResponseFrames } from './response-frames.ts'
import { authenticateInTime, saslOptions } from './sasl.ts'
import { connectSocket } from './socket.ts'

// kafkajs starts a timer of negative length after every request (tulios/kafkajs#1751). Start it only if something
// waits.
const scheduleCheck = RequestQueue.prototype.scheduleCheckPendingRequests
RequestQueue.prototype.scheduleCheckPendingRequests = function schedule() {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleCheck.call(this)
}

const silentLogger = { namespace: () => silentLogger, debug() {}, info() {}, warn() {}, error() {} }

/**
 * One broker with two TCP connections: one for Fetch, which may wait at the broker, one for all other requests.
 * Connects on first use. After close() or a failed request it stays closed; create a new one.
 */
export class BrokerConnection {
  readonly address: BrokerAddress
  readonly #options: ConnectionOptions
  readonly #broker: Broker
  /**
   * By index in kafkajs's pool. kafkajs itself opens a socket for every request until one is open, and loses all but
   * the last.
   */
  readonly #opening: Promise<unknown>[] = []
  readonly #opened: boolean[] = []
  #answered = false
  #closed = false

  constructor(address: BrokerAddress, options: ConnectionOptions) {
    this.address = address
    this.#options = options
    const connectionPool = new ConnectionPool({
      ...address,
      ssl: null, // the socket does TLS
      sasl: options.sasl ? saslOptions(options.sasl, `${address.host}:${address.port}`) : null,
      clientId: options.clientId,
      connectionTimeout: options.connectionTimeoutMs,
      // send() has the deadlines, so kafkajs needs no timers.
      requestTimeout: 2 ** 31 - 1,
      enforceRequestTimeout: false,
      maxInFlightRequests: options.inFlightMax ?? null,
      logger: silentLogger,
      socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) =>
        observed(connectSocket(host, port, options, onConnect), address, options),
    })
    for (const connection of connectionPool.pool) {
      frameResponses(connection, address, options)
      authenticateInTime(connection)
    }
    this.#broker = new Broker({ connectionPool, logger: silentLogger, allowAutoTopicCreation: false })
  }

  /** Whether it was closed, or the broker or network has ended one of the two connections. */
  get closed(): boolean {
    const { pool } = this.#broker.connectionPool
    return this.#closed || pool.some((connection, place) => this.#opened[place] === true && !connection.isConnected())
  }

  /** Returns the highest version of a request that the broker supports; -1 if it does not support the request. */
  async versionMax(apiKey: number): Promise<number> {
    await this.#exchange(async () => {}, apiVersions, this.#options.connectionTimeoutMs)
    return this.#broker.versions?.[apiKey]?.maxVersion ?? -1
  }

  /**
   * Returns the response body of a raw request, a view of the whole response. Copy what must outlive the next response.
   * Rejects with `broker_unreachable` or `request_timed_out`.
   */
  send(request: RawRequest, timeoutMs: number): Promise<Buffer> {
    const { apiKey, apiVersion, apiName } = request
    const response = { decode: async (raw: Buffer) => ({ raw }), parse: async ({ raw }: { raw: Buffer }) => raw }
    const body = request.encode()
    const send = () =>
      body instanceof Encoder
        ? this.#sendEncoded({ request: { apiKey, apiVersion, apiName, encode: async () => body }, response })
        : sendBuffers(this.#broker.connectionPool.pool[others]!, this.#options.clientId, request, body)
    return this.#exchange(send, request, timeoutMs) as Promise<Buffer>
  }

  /** Sends a request of kafkajs and returns the decoded response. The caller checks the error codes in it. */
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

  async #exchange(send: () => Promise<unknown>, request: RequestVersion, timeoutMs: number): Promise<unknown> {
    const { host, port } = this.address
    const { apiName } = request
    if (this.#closed) {
      throw new LatchkeyError('broker_unreachable', `${apiName} to ${host}:${port}: the connection is closed`)
    }
    try {
      await this.#open(others)
      requireVersion(this.#broker.versions!, request, `${host}:${port}`)
      if (apiName === 'Fetch') await this.#open(fetches)
      const sentAt = isTrace() ? performance.now() : 0
      const answer = await deadline(send(), timeoutMs, () => noAnswer(timeoutMs))
      if (sentAt > 0) logRequest(this.address, request, sentAt, this.#options)
      // A listener that requires SASL answers ApiVersions, too.
      if (request !== apiVersions) this.#answered = true
      return answer
    } catch (error) {
      const wasClosed = this.#closed
      this.close()
      // If we closed the connection ourselves, there is no cause to find.
      const wasLetIn = Boolean(this.#options.sasl) && this.#opened[others] === true
      const answered = this.#answered || wasLetIn || wasClosed
      throw await connectionFault(error, apiName, this.address, this.#options, answered)
    }
  }

  /** Opens a connection once. The first one also gets the broker's versions. */
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

  /** Closes both connections immediately. Pending requests reject. */
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

const apiVersions: RequestVersion = { apiKey: apiKeys.ApiVersions, apiVersion: 0, apiName: 'ApiVersions' }

/** Indexes in kafkajs's pool. */
const others = 0
const fetches = 1

/** Replaces kafkajs's framing, which accepts every length. */
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
