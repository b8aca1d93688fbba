/**
 * Cuts what comes from a broker into responses. kafkajs buffers whatever the length of a frame says, so that four bytes of nonsense (another protocol on
 * that port, a fault on the way) would fill memory without a word; here the length is checked before anything is waited for.
 */
import { LatchkeyError } from '../errors.ts'

const lengthBytes = 4
const correlationIdBytes = 4
/** Where the caller says nothing. */
export const receiveBytesMaxDefault = 110_000_000

export class ResponseFrames {
  readonly #from: string
  readonly #bytesMax: number
  readonly #take: (frame: Buffer) => void
  #chunks: Buffer[] = []
  #bytes = 0
  #needed = lengthBytes

  /**
   * @param from host:port, for messages
   * @param take takes each response without its length, a view of a larger buffer
   */
  constructor(from: string, bytesMax: number, take: (frame: Buffer) => void) {
    this.#from = from
    this.#bytesMax = bytesMax
    this.#take = take
  }

  /** Forgets a response that has come in part. */
  reset(): void {
    this.#chunks = []
    this.#bytes = 0
    this.#needed = lengthBytes
  }

  /** Throws LatchkeyError (response_malformed, or authentication_failed where the other side speaks TLS) for a length that cannot be one. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= this.#needed) {
      const received = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
      const frameBytes = received.readInt32BE(0)
      if (frameBytes < correlationIdBytes || frameBytes > this.#bytesMax) throw this.#impossible(received, frameBytes)
      const end = lengthBytes + frameBytes
      if (received.length < end) {
        this.#chunks = [received]
        this.#needed = end
        return
      }
      const rest = received.subarray(end)
      this.#chunks = rest.length > 0 ? [rest] : []
      this.#bytes = rest.length
      this.#needed = lengthBytes
      this.#take(received.subarray(lengthBytes, end))
    }
  }

  #impossible(received: Buffer, frameBytes: number): LatchkeyError {
    const attempted = `Reading a response of ${this.#from}`
    if (received[0] === tlsAlert && received[1] === tlsMajorVersion) return speaksTls(this.#from)
    if (received.toString('latin1', 0, lengthBytes) === 'HTTP') {
      return new LatchkeyError(
        'response_malformed',
        `${attempted}: it speaks HTTP and is no Kafka broker; correct KAFKA_BROKERS`,
      )
    }
    const found = `it says it is ${frameBytes} bytes, where receive.message.max.bytes=${this.#bytesMax}`
    const advice =
      frameBytes > 0 ? 'raise that, or lower fetch.max.bytes and max.partition.fetch.bytes' : 'is it a Kafka broker?'
    return new LatchkeyError('response_malformed', `${attempted}: ${found}; ${advice}`)
  }
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
