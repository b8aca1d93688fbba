import { connect, type Socket } from 'node:net'

/**
 * Fetch and Produce of one partition over a separate socket, so that record batches reach a broker without any client in between.
 * For a broker of one node; one request at a time.
 */
export class RawConnection {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer>
  #received: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  static async open(bootstrap: string): Promise<RawConnection> {
    const at = bootstrap.lastIndexOf(':')
    const socket = connect(Number(bootstrap.slice(at + 1)), bootstrap.slice(0, at))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    socket.once('connect', resolve)
    socket.once('error', reject)
    await promise
    return new RawConnection(socket)
  }

  /** The record batches of a partition from `offset` on, as the broker sends them. */
  async fetch(topic: string, partition: number, offset: number, maxBytes = 1 << 20): Promise<Buffer> {
    const body = Buffer.concat([
      int32(-1, 500, 1, maxBytes), // replica, longest wait, least and most bytes
      Buffer.from([0]), // read uncommitted
      int32(0, -1, 1), // no session; one topic
      string(topic),
      int32(1, partition, -1),
      int64(offset, -1),
      int32(maxBytes, 0), // no forgotten topics
      string(''),
    ])
    const response = await this.#request(1, 11, body)
    let at = 4 + 4 + 2 + 4 + 4 // correlation, throttling, error, session, one topic
    at += 2 + response.readInt16BE(at) + 4 + 4 // its name, one partition, its index
    const error = response.readInt16BE(at)
    if (error !== 0) throw new Error(`Fetching ${topic}-${partition}: the broker answered ${error}`)
    at += 2 + 3 * 8
    at += 4 + Math.max(response.readInt32BE(at), 0) * 16 + 4 // aborted transactions, preferred replica
    return response.subarray(at + 4, at + 4 + response.readInt32BE(at))
  }

  /** Everything from the start to `end`, one response after the other. */
  async fetchUntil(topic: string, end: number, next: (records: Buffer) => number): Promise<void> {
    for (let position = 0; position < end;) position = next(await this.fetch(topic, 0, position))
  }

  /** Writes one batch with acks=all; the broker's error code and the batch's base offset. */
  async produce(topic: string, partition: number, batch: Buffer): Promise<{ error: number; baseOffset: number }> {
    const body = Buffer.concat([
      Buffer.from([0xff, 0xff, 0xff, 0xff]), // no transaction; acks=all
      int32(10_000, 1),
      string(topic),
      int32(1, partition, batch.length),
      batch,
    ])
    const response = await this.#request(0, 7, body)
    const at = 4 + 4 + 2 + response.readInt16BE(8) + 4 + 4
    return { error: response.readInt16BE(at), baseOffset: Number(response.readBigInt64BE(at + 2)) }
  }

  close(): void {
    this.#socket.destroy()
  }

  async #request(apiKey: number, apiVersion: number, body: Buffer): Promise<Buffer> {
    const header = Buffer.alloc(8)
    header.writeInt16BE(apiKey, 0)
    header.writeInt16BE(apiVersion, 2)
    const frame = Buffer.concat([header, string('raw'), body])
    this.#socket.write(Buffer.concat([int32(frame.length), frame]))
    const bytes = (await this.#take(4)).readInt32BE(0)
    return this.#take(bytes)
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#received.length < bytes) {
      const { value, done } = await this.#chunks.next()
      if (done) throw new Error('Reading a response: the broker closed the connection')
      this.#received = Buffer.concat([this.#received, value])
    }
    const taken = this.#received.subarray(0, bytes)
    this.#received = this.#received.subarray(bytes)
    return taken
  }
}

function int32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => bytes.writeInt32BE(value, index * 4))
  return bytes
}

function int64(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 8)
  values.forEach((value, index) => bytes.writeBigInt64BE(BigInt(value), index * 8))
  return bytes
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(2)
  length.writeInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
