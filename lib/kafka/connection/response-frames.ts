/**
 * Cuts what comes from a broker into responses. kafkajs buffers whatever the length of a frame says, so that four bytes of nonsense (another protocol on
 * that port, a fault on the way) would fill memory without a word; here the length is checked before anything is waited for.
 */
import { LatchkeyError } from '../../errors.ts'

const lengthBytes = 4
const correlationIdBytes = 4
/** Where the caller says nothing. */
export const receiveBytesMaxDefault = 110_000_000

export class ResponseFrames {
  readonly #from: string
  readonly #bytesMax: number
  readonly #take: (frame: Buffer) => void
  /** Of the next response, while not even its length is there. */
  #begun: Buffer | undefined
  /** Of a response that goes beyond the chunk it begins in: room for all of it, with the bytes up to `#filled`. */
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

  /** Forgets a response that has come in part. */
  reset(): void {
    this.#begun = undefined
    this.#large = undefined
  }

  /**
   * The chunk is ours from here on. Throws LatchkeyError (response_malformed, or authentication_failed where the other side speaks TLS) for a
   * length that cannot be one.
   */
  push(chunk: Buffer): void {
    let at = this.#large === undefined ? 0 : this.#fill(this.#large, chunk, 0)
    if (at === chunk.length) return giveBack(chunk)
    let received = chunk
    if (this.#begun !== undefined) {
      received = Buffer.concat([this.#begun, chunk])
      this.#begun = undefined
    }
    while (received.length - at >= lengthBytes) {
      const frameBytes = received.readInt32BE(at)
      if (frameBytes < correlationIdBytes || frameBytes > this.#bytesMax)
        throw this.#impossible(received.subarray(at), frameBytes)
      const end = at + lengthBytes + frameBytes
      if (end > received.length) {
        // Memory that nobody has written to takes none, whatever the length says.
        const large = Buffer.allocUnsafeSlow(lengthBytes + frameBytes)
        this.#filled = 0
        this.#fill(large, received, at)
        if (at === 0) giveBack(received)
        return
      }
      this.#take(received.subarray(at + lengthBytes, end))
      at = end
    }
    if (at < received.length) this.#begun = received.subarray(at)
  }

  /** Returns where in the chunk the response ends, or the chunk does. */
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
        `${attempted}: it speaks HTTP and is no Kafka broker; correct KAFKA_BROKERS`,
      )
    }
    const found = `it says it is ${frameBytes} bytes, where receive.message.max.bytes=${this.#bytesMax}`
    const advice =
      frameBytes > 0 ? 'raise that, or lower fetch.max.bytes and max.partition.fetch.bytes' : 'is it a Kafka broker?'
    return new LatchkeyError('response_malformed', `${attempted}: ${found}; ${advice}`)
  }
}

/** The length and the correlation id, before the body. */
const headBytes = lengthBytes + correlationIdBytes

/**
 * Gives the memory of a response's body back at once, where nothing else lies in it. Where it is left to the garbage collector, the next
 * response gets fresh memory, which the system has to clear first, page by page [a sixth of recovery's time, test/bench/README.md]. Whoever still looks at
 * it finds it empty.
 */
export function giveBackBody(body: Buffer): void {
  giveBack(body, headBytes)
}

/** Only what has its memory for itself, but for so many bytes `before` it: a pool's slice, or a view with others beside it, stays. */
function giveBack({ buffer, byteOffset, length }: Buffer, before = 0): void {
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
