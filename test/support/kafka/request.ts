/** One request to one broker over a separate connection, encoded by hand: kafkajs would bring its own retries, log lines and view of the cluster. */
import { connect } from 'node:net'

export interface HandmadeRequest {
  apiKey: number
  /** One without tagged fields. */
  apiVersion: number
  body: Buffer
}

const correlationId = 1

/** Resolves with the response after its correlation id; undefined where none comes. */
export function ask(address: string, request: HandmadeRequest, timeoutMs: number): Promise<Buffer | undefined> {
  const colon = address.lastIndexOf(':')
  return new Promise((resolve) => {
    let received = Buffer.alloc(0)
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon))
    const timer = setTimeout(() => {
      resolve(undefined)
      socket.destroy()
    }, timeoutMs)
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
    socket.on('connect', () => socket.write(frameOf(request)))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return
      resolve(received.subarray(8))
      socket.destroy()
    })
  })
}

/** Size, api key, version, correlation id, client id null, body. */
function frameOf({ apiKey, apiVersion, body }: HandmadeRequest): Buffer {
  const header = Buffer.alloc(14)
  header.writeInt32BE(10 + body.length, 0)
  header.writeInt16BE(apiKey, 4)
  header.writeInt16BE(apiVersion, 6)
  header.writeInt32BE(correlationId, 8)
  header.writeInt16BE(-1, 12)
  return Buffer.concat([header, body])
}

export function int8(value: number): Buffer {
  return Buffer.from([value])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

export function string(value: string): Buffer {
  const text = Buffer.from(value)
  const length = Buffer.alloc(2)
  length.writeInt16BE(text.length)
  return Buffer.concat([length, text])
}

export function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(items.length), ...items])
}

/** Reads a response from its beginning. */
export class Cursor {
  #at = 0
  readonly #bytes: Buffer

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8((this.#at += 1) - 1)
  }

  int16(): number {
    return this.#bytes.readInt16BE((this.#at += 2) - 2)
  }

  int32(): number {
    return this.#bytes.readInt32BE((this.#at += 4) - 4)
  }

  int64(): number {
    return Number(this.#bytes.readBigInt64BE((this.#at += 8) - 8))
  }

  /** Empty where it is null. */
  string(): string {
    const length = Math.max(this.int16(), 0)
    return this.#bytes.toString('utf8', this.#at, (this.#at += length))
  }

  array<T>(item: () => T): T[] {
    return Array.from({ length: Math.max(this.int32(), 0) }, item)
  }
}
