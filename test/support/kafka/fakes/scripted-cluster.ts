/**
 * Brokers that are the test: they answer versions, metadata and coordinators over real connections, and can be ended, moved to another port, or made
 * silent, as one that was sent SIGSTOP. What else they are asked, `answer` decides.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { int16, int32 } from './responses.ts'

export interface AskedRequest {
  node: number
  apiKey: number
  apiVersion: number
  /** Behind the header. */
  body: Buffer
}

const apiKeys = { metadata: 3, coordinator: 10, apiVersions: 18 }
const versionsOf25: readonly (readonly [apiKey: number, max: number])[] = [
  [0, 7],
  [1, 11],
  [2, 3],
  [3, 9],
  [8, 5],
  [9, 4],
  [10, 2],
  [18, 2],
  [22, 3],
]

export class ScriptedCluster implements AsyncDisposable {
  readonly brokers = new Map<number, ScriptedBroker>()
  /** Topic to the leaders of its partitions. */
  readonly leaders = new Map<string, number[]>()
  /** Node that coordinates. */
  coordinator = 1
  /** Every request but those for versions, in order. */
  readonly asked: AskedRequest[] = []
  /** Body of a response; undefined for none. */
  answer: (request: AskedRequest) => Buffer | undefined = () => undefined
  /** Of API keys, where they differ from Kafka 2.5's. */
  readonly versionsMax = new Map<number, number>()
  /** Nodes that metadata name; those whose brokers listen where undefined. */
  alive: readonly number[] | undefined

  static async start(nodes: number): Promise<ScriptedCluster> {
    const cluster = new ScriptedCluster()
    for (let node = 1; node <= nodes; node++) {
      const broker = new ScriptedBroker(cluster, node)
      cluster.brokers.set(node, broker)
      await broker.listen()
    }
    return cluster
  }

  broker(node: number): ScriptedBroker {
    return this.brokers.get(node)!
  }

  address(node: number): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.broker(node).port }
  }

  /** API keys of the requests that a node has got. */
  askedOf(node: number): number[] {
    return this.asked.filter((one) => one.node === node).map(({ apiKey }) => apiKey)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.brokers.values()].map((broker) => broker.end()))
  }

  respond(request: AskedRequest): Buffer | undefined {
    if (request.apiKey === apiKeys.apiVersions) {
      const versions = versionsOf25.map(([apiKey, max]) => {
        return Buffer.concat([int16(apiKey), int16(0), int16(this.versionsMax.get(apiKey) ?? max)])
      })
      return Buffer.concat([int16(0), int32(versions.length), ...versions, int32(0)])
    }
    this.asked.push(request)
    if (request.apiKey === apiKeys.metadata) return this.#metadata()
    if (request.apiKey !== apiKeys.coordinator || request.apiVersion > 2) return this.answer(request)
    const { host, port } = this.address(this.coordinator)
    return Buffer.concat([int32(0), int16(0), int16(-1), int32(this.coordinator), text(host), int32(port)])
  }

  /** Version 9: flexible, without topic ids. */
  #metadata(): Buffer {
    const named = [...this.brokers.values()].filter(
      ({ node, isListening }) => this.alive?.includes(node) ?? isListening,
    )
    const brokers = named.map(({ node, port }) => {
      return Buffer.concat([int32(node), compactText('127.0.0.1'), int32(port), compact(-1), noTags])
    })
    const topics = [...this.leaders].map(([topic, leaders]) => {
      const partitions = leaders.map((leader, partition) => {
        const replicas = [compact(1), int32(leader), compact(1), int32(leader), compact(0), noTags]
        return Buffer.concat([int16(leader < 0 ? 5 : 0), int32(partition, leader, -1), ...replicas])
      })
      const head = [int16(0), compactText(topic), Buffer.from([0]), compact(partitions.length)]
      return Buffer.concat([...head, ...partitions, int32(0), noTags])
    })
    const head = [noTags, int32(0), compact(brokers.length), ...brokers, compact(-1), int32(1)]
    return Buffer.concat([...head, compact(topics.length), ...topics, int32(0), noTags])
  }
}

class ScriptedBroker {
  readonly node: number
  port = 0
  /** Takes connections and requests, and says nothing. */
  isSilent = false
  /** Requests, answered or not. */
  received = 0
  /** Those that `answer` has not answered. */
  readonly #held: { socket: Socket; frame: Buffer }[] = []
  readonly #cluster: ScriptedCluster
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(cluster: ScriptedCluster, node: number) {
    this.#cluster = cluster
    this.node = node
  }

  get connections(): number {
    return this.#sockets.size
  }

  get isListening(): boolean {
    return this.#server !== undefined
  }

  /** @param port the former one by default; 0 for another */
  async listen(port = this.port): Promise<void> {
    const server = createServer((socket) => this.#serve(socket))
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    this.#server = server
    this.port = (server.address() as { port: number }).port
  }

  async end(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server) await new Promise((resolve) => server.close(resolve))
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const end = 4 + received.readInt32BE(0)
        this.#take(socket, received.subarray(4, end))
        received = received.subarray(end)
      }
    })
  }

  #take(socket: Socket, frame: Buffer): void {
    this.received++
    if (this.isSilent) return
    const clientIdEnd = 10 + Math.max(frame.readInt16BE(8), 0)
    const [apiKey, apiVersion] = [frame.readInt16BE(0), frame.readInt16BE(2)]
    const request = { node: this.node, apiKey, apiVersion, body: Buffer.from(frame.subarray(clientIdEnd)) }
    const body = this.#cluster.respond(request)
    if (body === undefined) this.#held.push({ socket, frame })
    else write(socket, frame, body)
  }

  /** Answers the oldest request with that API key that has no answer yet. */
  respond(apiKey: number, body: Buffer): void {
    const place = this.#held.findIndex(({ frame }) => frame.readInt16BE(0) === apiKey)
    const [{ socket, frame }] = this.#held.splice(place, 1) as [{ socket: Socket; frame: Buffer }]
    write(socket, frame, body)
  }
}

function write(socket: Socket, request: Buffer, body: Buffer): void {
  socket.write(Buffer.concat([int32(4 + body.length), request.subarray(4, 8), body]))
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)])
}

const noTags = Buffer.from([0])

/** A length of a flexible version, below 127; -1 for null. */
function compact(length: number): Buffer {
  return Buffer.from([length + 1])
}

function compactText(value: string): Buffer {
  return Buffer.concat([compact(Buffer.byteLength(value)), Buffer.from(value)])
}
