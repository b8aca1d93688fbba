/**
 * Splits bytes from a broker into responses. kafkajs buffers any length that a frame states, so four wrong bytes
 * (another protocol on that port, a network error) would fill memory without an error. Here the length is checked
 * before waiting for the rest.
 */
import { LatchkeyError } from '../../errors.ts'

const lengthBytes = 4
const correlationIdBytes = 4
/** Default of receiveBytesMax. */
export const receiveBytesMaxDefault = 110_000_000

export class ResponseFrames {
  readonly #from: string
  readonly #bytesMax: number
  readonly #take: (frame: Buffer) => void
  /** First bytes of the next response, while its length is incomplete. */
  #begun: Buffer | undefined
  /** Buffer of a response that is longer than the chunk that it begins in. Filled up to `#filled`. */
  #large: Buffer | undefined
  #filled = 0

  /**
   * @param from host:port, for messages
   * @param take takes each response without its length, a view of a larger buffer
   */
  constructor(from: string, bytesMax: number, take: (frame: Buffer) => void) {
    this.#from = from
    this.#bytesMax = bytesMax
    this.#take = take
  }

  /** Drops an incomplete response. */
  reset(): void {
    this.#begun = undefined
    this.#large = undefined
  }

  /**
   * Takes ownership of the chunk. Throws LatchkeyError for an impossible length: response_malformed, or
   * authentication_failed if the other side uses TLS.
   */
  push(chunk: Buffer): void {
    let at = this.#large === undefined ? 0 : this.#fill(this.#large, chunk, 0)
    if (at === chunk.length) return release(chunk)
    let received = chunk
    if (this.#begun !== undefined) {
      received = Buffer.concat([this.#begun, chunk])
      this.#begun = undefined
    }
    while (received.length - at >= lengthBytes) {
      const frameBytes = received.readInt32BE(at)
      if (frameBytes < correlationIdBytes || frameBytes > this.#bytesMax) {
        throw this.#impossible(received.subarray(at), frameBytes)
      }
      const end = at + lengthBytes + frameBytes
      if (end > received.length) {
        // Untouched memory has no physical pages, so a wrong length costs none.
        const large = Buffer.allocUnsafeSlow(lengthBytes + frameBytes)
        this.#filled = 0
        this.#fill(large, received, at)
        if (at === 0) release(received)
        return
      }
      this.#take(received.subarray(at + lengthBytes, end))
      at = end
    }
    if (at < received.length) this.#begun = received.subarray(at)
  }

  /** Returns the end of the response in the chunk, or the end of the chunk. */
  #fill(large: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(large, this.#filled, at)
    this.#filled += copied
    const isWhole = this.#filled === large.length
    this.#large = isWhole ? undefined : large
    if (isWhole) this.#take(large.subarray(lengthBytes))
    return at + copied
  }

  #impossible(received: Buffer, frameBytes: number): LatchkeyError {
    const attempted = `Reading a response of ${this.#from}`
    if (received[0] === tlsAlert && received[1] === tlsMajorVersion) return speaksTls(this.#from)
    if (received.toString('latin1', 0, lengthBytes) === 'HTTP') {
      return new LatchkeyError(
        'response_malformed',
        `${attempted}: it speaks HTTP and is not a Kafka broker; correct KAFKA_BROKERS`,
      )
    }
    const found = `it says it is ${frameBytes} bytes, where receive.message.max.bytes=${this.#bytesMax}`
    const advice =
      frameBytes > 0 ? 'raise that, or lower fetch.max.bytes and max.partition.fetch.bytes' : 'is it a Kafka broker?'
    return new LatchkeyError('response_malformed', `${attempted}: ${found}; ${advice}`)
  }
}

/** Length and correlation id, before the body. */
const headBytes = lengthBytes + correlationIdBytes

/**
 * Frees the memory of a response's body immediately if nothing else lies in it. If the garbage collector frees it, the
 * next response gets new memory, which the system has to clear page by page first [a sixth of recovery's time,
 * test/bench/README.md]. Code that still holds the body sees it empty.
 */
export function releaseBody(body: Buffer): void {
  release(body, headBytes)
}

/** Frees memory that holds nothing else, except `before` bytes in front. Slices of a pool and shared buffers stay. */
function release({ buffer, byteOffset, length }: Buffer, before = 0): void {
  const isAlone = byteOffset === before && buffer.byteLength === before + length
  if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

const tlsAlert = 21
const tlsMajorVersion = 3

export function speaksTls(address: string): LatchkeyError {
  const advice = 'set security.protocol=ssl (or sasl_ssl) in KAFKA_PROPERTIES, or name another port in KAFKA_BROKERS'
  return new LatchkeyError(
    'authentication_failed',
    `Connecting to ${address}: the listener speaks TLS and we do not; ${advice}`,
  )
}
