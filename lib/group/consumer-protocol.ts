/**
 * The envelope of consumers, version 0: Kafka's tools read topics and partitions of members from it. Our data is the
 * user data inside. Source: ConsumerProtocolSubscription.json and ConsumerProtocolAssignment.json of Apache Kafka.
 */
import { LatchkeyError } from '../errors.ts'
import { Encoder } from '../kafka/connection/raw-request.ts'

const version = 0

/** Encodes what a member subscribes to, with its data. */
export function encodeSubscription(topics: readonly string[], data: Buffer): Buffer {
  const encoder = new Encoder(64 + data.length).writeInt16(version).writeInt32(topics.length)
  for (const topic of topics) encoder.writeString(topic)
  return withData(encoder, data)
}

/** Encodes the partitions of a member, for tools, with the plan that it gets. */
export function encodeAssignment(topic: string, partitions: readonly number[], data: Buffer): Buffer {
  const encoder = new Encoder(64 + 4 * partitions.length + data.length).writeInt16(version).writeInt32(1)
  encoder.writeString(topic).writeInt32(partitions.length)
  for (const partition of partitions) encoder.writeInt32(partition)
  return withData(encoder, data)
}

function withData(encoder: Encoder, data: Buffer): Buffer {
  encoder.writeInt32(data.length).writeBufferInternal(data)
  return Buffer.from(encoder.buffer)
}

/**
 * Returns the data of a subscription, a view.
 * @throws LatchkeyError response_malformed
 */
export function subscriptionData(bytes: Buffer): Buffer {
  return dataOf(bytes, 'subscription', (reader) => reader.text())
}

/**
 * Returns the data of an assignment, a view; empty if the coordinator has none for the member.
 * @throws LatchkeyError response_malformed
 */
export function assignmentData(bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes
  return dataOf(bytes, 'assignment', (reader) => {
    reader.text()
    reader.skip(4 * reader.length())
  })
}

function dataOf(bytes: Buffer, what: string, skipTopic: (reader: EnvelopeReader) => void): Buffer {
  const reader = new EnvelopeReader(bytes, what)
  reader.skip(2)
  for (let topics = reader.length(); topics > 0; topics--) skipTopic(reader)
  return reader.data()
}

class EnvelopeReader {
  readonly #bytes: Buffer
  readonly #what: string
  #at = 0

  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  /** Reads the length of an array or of bytes. Null counts as empty. */
  length(): number {
    const at = this.#at
    this.skip(4)
    return Math.max(this.#bytes.readInt32BE(at), 0)
  }

  text(): void {
    const at = this.#at
    this.skip(2)
    this.skip(Math.max(this.#bytes.readInt16BE(at), 0))
  }

  data(): Buffer {
    const length = this.length()
    const at = this.#at
    this.skip(length)
    return this.#bytes.subarray(at, at + length)
  }

  skip(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) {
      const found = `${this.#bytes.length} bytes that end too early`
      throw new LatchkeyError('response_malformed', `Reading the ${this.#what} of a group member: ${found}`)
    }
    this.#at += bytes
  }
}
