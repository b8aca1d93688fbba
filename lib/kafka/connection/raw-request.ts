/** Requests that we encode, sent through a connection of kafkajs without its copies. */
import type { Connection } from 'kafkajs/src/network/connectionPool'
import Encoder from 'kafkajs/src/protocol/encoder'

export { Encoder }

/** A request that we encode. Its response is the bytes after the correlation id. */
export interface RawRequest {
  apiKey: number
  apiVersion: number
  apiName: string
  /**
   * Encodes the body, without the header. Large data in buffers is not copied, and must not change before the response.
   */
  encode: () => Encoder | readonly Buffer[]
}

/** Buffers of requests up to this size are joined before they are sent. */
const joinedBytesMax = 65_536

/**
 * Sends a request as kafkajs does, without its three copies of it (ingest spent a fifth of its time on these). Returns
 * the response body.
 */
export async function sendBuffers(
  connection: Connection,
  clientId: string,
  { apiKey, apiVersion, apiName }: RawRequest,
  body: readonly Buffer[],
): Promise<Buffer> {
  if (!connection.isAuthenticated()) await connection.authenticate()
  const correlationId = connection.nextCorrelationId()
  const header = new Encoder().writeInt16(apiKey).writeInt16(apiVersion).writeInt32(correlationId)
  header.writeString(clientId)
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
      // A small request is sent in one packet.
      for (const part of bytes > joinedBytesMax ? parts : [Buffer.concat(parts)]) connection.socket?.write(part)
    },
  })
  return (await promise).payload
}
