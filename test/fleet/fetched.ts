/** Bytes of a topic's record batches that instances have fetched, on their way through a proxy, and those that the topic has. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseFetchResponse } from '../../lib/kafka/protocol/fetch.ts'
import type { ProxiedRequest, TcpProxy } from '../support/kafka/index.ts'

const fetchApi = 1
const correlationBytes = 4
const clientIdAt = 8

export class Fetched {
  /** By client id and partition. */
  readonly #bytes = new Map<string, Map<number, number>>()
  /** Client ids of requests under way for the topic, by connection and correlation. */
  readonly #asked = new Map<string, string>()

  /** From now on. A watcher of before is asked for its verdict, too. */
  constructor(proxy: TcpProxy, logDir: string, topic: string) {
    const { onRequest, onResponse } = proxy
    const id = topicId(logDir, topic)
    proxy.onRequest = (request) => {
      const isAsked = request.apiKey === fetchApi && [topic, id].some((name) => request.frame.includes(name))
      if (isAsked) this.#asked.set(placeOf(request), clientOf(request.frame))
      return onRequest?.(request)
    }
    proxy.onResponse = (response) => {
      const { request, frame } = response
      const place = request && placeOf(request)
      const client = place && this.#asked.get(place)
      if (place && client !== undefined) {
        this.#asked.delete(place)
        this.#take(client, frame, request.apiVersion)
      }
      return onResponse?.(response)
    }
  }

  get bytes(): number {
    return [...this.#bytes.values()].flatMap((sums) => [...sums.values()]).reduce((sum, one) => sum + one, 0)
  }

  /** What a client has read of a partition beyond what it has, the most first. */
  beyond(sizes: readonly number[]): { client: string; partition: number; bytes: number }[] {
    const all = [...this.#bytes].flatMap(([client, sums]) => {
      return [...sums].map(([partition, bytes]) => ({ client, partition, bytes: bytes - sizes[partition]! }))
    })
    return all.filter(({ bytes }) => bytes > 0).toSorted((a, b) => b.bytes - a.bytes)
  }

  #take(client: string, frame: Buffer, apiVersion: number): void {
    const sums = this.#bytes.get(client) ?? new Map<number, number>()
    this.#bytes.set(client, sums)
    for (const { partition, start, end } of parseFetchResponse(frame.subarray(correlationBytes), apiVersion)
      .partitions) {
      sums.set(partition, (sums.get(partition) ?? 0) + end - start)
    }
  }
}

/** By partition, in the folder of a broker's logs. */
export function topicSizes(logDir: string, topic: string, partitions: number): number[] {
  return Array.from({ length: partitions }, (_, partition) => {
    const folder = join(logDir, `${topic}-${partition}`)
    const files = readdirSync(folder).filter((name) => name.endsWith('.log'))
    return files.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
  })
}

/** As requests have it. */
function topicId(logDir: string, topic: string): Buffer {
  const text = readFileSync(join(logDir, `${topic}-0`, 'partition.metadata'), 'utf8')
  return Buffer.from(/topic_id: (\S+)/.exec(text)![1]!, 'base64url')
}

function placeOf({ connection, correlationId }: Pick<ProxiedRequest, 'connection' | 'correlationId'>): string {
  return `${connection} ${correlationId}`
}

function clientOf(frame: Buffer): string {
  const bytes = Math.max(frame.readInt16BE(clientIdAt), 0)
  return frame.toString('utf8', clientIdAt + 2, clientIdAt + 2 + bytes)
}
