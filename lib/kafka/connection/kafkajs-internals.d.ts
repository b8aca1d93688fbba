/** Parts of kafkajs 2.2.4 outside its public types that broker-connection.ts uses, as in its source. The version is pinned. */

declare module 'kafkajs/src/protocol/encoder' {
  export default class Encoder {
    constructor(initialSize?: number)
    writeInt8(value: number): this
    writeInt16(value: number): this
    writeInt32(value: number): this
    writeInt64(value: number | bigint | string): this
    writeString(value: string | null): this
    writeBufferInternal(buffer: Uint8Array): void
    size(): number
    get buffer(): Buffer
  }
}

declare module 'kafkajs/src/protocol/requests' {
  interface Protocol {
    request: { apiKey: number; apiVersion: number; apiName: string; encode: () => Promise<unknown> }
    response: { decode: (raw: Buffer) => Promise<unknown>; parse: (decoded: unknown) => Promise<unknown> }
  }
  interface RequestDefinition {
    protocol: (version: { version: number }) => (args: Record<string, unknown>) => Protocol
  }
  export const requests: Record<string, RequestDefinition>
}

declare module 'kafkajs/src/network/requestQueue' {
  const RequestQueue: { prototype: { scheduleCheckPendingRequests: (this: PendingRequests) => void } }
  interface PendingRequests {
    pending: unknown[]
    throttledUntil: number
  }
  export default RequestQueue
}

declare module 'kafkajs/src/network/connectionPool' {
  export interface Connection {
    socket?: { destroy: () => void; write: (bytes: Buffer) => void }
    requestQueue: {
      push: (request: {
        entry: {
          apiKey: number
          apiVersion: number
          apiName: string
          correlationId: number
          resolve: (response: { payload: Buffer }) => void
          reject: (error: Error) => void
        }
        expectResponse: boolean
        requestTimeout: number | null
        sendRequest: () => void
      }) => void
      destroy: () => void
      fulfillRequest: (response: { correlationId: number; payload: Buffer; size: number }) => void
    }
    processData: (chunk: Buffer) => void
    rejectRequests: (error: Error) => void
    isConnected: () => boolean
    isAuthenticated: () => boolean
    /** Milliseconds, a Long. */
    sessionLifetime: { toString: () => string }
    authenticate: () => Promise<void>
    nextCorrelationId: () => number
    connect: () => Promise<unknown>
  }
  export default class ConnectionPool {
    constructor(options: Record<string, unknown>)
    pool: Connection[]
    send(protocol: Record<string, unknown>): Promise<unknown>
  }
}

declare module 'kafkajs/src/broker' {
  import type ConnectionPool from 'kafkajs/src/network/connectionPool'
  export default class Broker {
    constructor(options: Record<string, unknown>)
    connectionPool: ConnectionPool
    /** By API key, once connected. */
    versions: Record<number, { minVersion: number; maxVersion: number }> | null
    connect(): Promise<void>
  }
}

declare module 'kafkajs/src/broker/saslAuthenticator/*' {
  export default function provider(sasl: { username: string; password: string }): (exchanges: {
    saslAuthenticate: (exchange: unknown) => Promise<unknown>
  }) => {
    authenticate: () => Promise<void>
  }
}
