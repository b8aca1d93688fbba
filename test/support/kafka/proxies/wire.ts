/** What goes over a proxy, by kind, decoded by hand and independent of the code under test. */
import type { ProxiedRequest, TcpProxy } from './tcp-proxy.ts'

export interface SeenFetch {
  clientId: string
  /** Its name, or its id where it is asked for by that. */
  topic: string
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  isolation: number
  partitionMaxBytes: number
  rack: string
}

export interface SeenProduce {
  clientId: string
  acks: number
  timeoutMs: number
  topic: string
  /** The first partition's. */
  batch: Buffer
}

export interface SeenProducerId {
  transactionalId: string
  transactionTimeoutMs: number
}

const produce = 0
const fetch = 1
const metadata = 3
const initProducerId = 22

/** Collects the requests of a proxy from now on. */
export class Wire {
  readonly fetches: SeenFetch[] = []
  readonly produces: SeenProduce[] = []
  readonly producerIds: SeenProducerId[] = []
  metadataRequests = 0

  constructor(proxy: TcpProxy) {
    proxy.onRequest = (request) => this.#take(request)
  }

  #take({ apiKey, apiVersion, frame }: ProxiedRequest): undefined {
    const clientId = text(frame, 8)
    let at = clientId.end
    if (apiKey === metadata) this.metadataRequests++
    if (apiKey === fetch && apiVersion === 11) {
      const topic = text(frame, at + 4 * 4 + 1 + 8 + 4)
      const partitions = frame.readInt32BE(topic.end)
      this.fetches.push({
        clientId: clientId.value,
        maxWaitMs: frame.readInt32BE(at + 4),
        minBytes: frame.readInt32BE(at + 8),
        maxBytes: frame.readInt32BE(at + 12),
        isolation: frame[at + 16]!,
        topic: topic.value,
        partitionMaxBytes: frame.readInt32BE(topic.end + 4 + 24),
        rack: text(frame, topic.end + 4 + partitions * 28 + 4).value,
      })
    }
    if (apiKey === fetch && apiVersion === 13) {
      // One topic and fewer than 127 partitions, after the header's tagged fields.
      const topicAt = at + 1 + 4 * 4 + 1 + 8 + 1
      const partitionsAt = topicAt + 16
      const rackAt = partitionsAt + 1 + (frame[partitionsAt]! - 1) * 33 + 2
      this.fetches.push({
        clientId: clientId.value,
        maxWaitMs: frame.readInt32BE(at + 5),
        minBytes: frame.readInt32BE(at + 9),
        maxBytes: frame.readInt32BE(at + 13),
        isolation: frame[at + 17]!,
        topic: frame.toString('base64url', topicAt, partitionsAt),
        partitionMaxBytes: frame.readInt32BE(partitionsAt + 1 + 28),
        rack: frame.toString('utf8', rackAt + 1, rackAt + frame[rackAt]!),
      })
    }
    if (apiKey === produce && apiVersion === 7) {
      at = text(frame, at).end
      const topic = text(frame, at + 2 + 4 + 4)
      const start = topic.end + 4 + 4
      this.produces.push({
        clientId: clientId.value,
        acks: frame.readInt16BE(at),
        timeoutMs: frame.readInt32BE(at + 2),
        topic: topic.value,
        batch: Buffer.from(frame.subarray(start + 4, start + 4 + frame.readInt32BE(start))),
      })
    }
    if (apiKey === initProducerId && apiVersion === 3) {
      const length = frame[at + 1]! - 1 // a compact string, after the header's tagged fields
      const start = at + 2
      const transactionalId = frame.toString('utf8', start, start + length)
      this.producerIds.push({ transactionalId, transactionTimeoutMs: frame.readInt32BE(start + length) })
    }
    return undefined
  }
}

function text(frame: Buffer, at: number): { value: string; end: number } {
  const length = Math.max(frame.readInt16BE(at), 0)
  return { value: frame.toString('utf8', at + 2, at + 2 + length), end: at + 2 + length }
}
