import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePorts } from '../../process/ports.ts'
import { FramePump } from './frame-pump.ts'

export type Direction = 'requests' | 'responses'

/** One Kafka request on its way to the broker, as `onRequest` sees it. */
export interface ProxiedRequest {
  apiKey: number
  apiVersion: number
  correlationId: number
  /** Counts the connections of this proxy from 1. */
  connection: number
  /** The frame without its length. */
  frame: Buffer
}

/** One answer on its way to the client; `request` is the one it belongs to. */
export interface ProxiedResponse {
  request: Omit<ProxiedRequest, 'frame'> | undefined
  connection: number
  frame: Buffer
}

/**
 * What to do with a frame: forward it unchanged (undefined) or replaced (bytes without length), is swallowed ('drop'), or the client's
 * connection is cut in its place ('cut'). A promise holds back this frame, and those after it on its connection, until it resolves; other connections continue.
 */
export type Verdict = undefined | void | Buffer | 'drop' | 'cut'

interface Pair {
  client: Socket
  broker: Socket
}

/** A connection whose client has gone stays open to the broker this long after its last request, so that the broker takes it. */
const lingerMs = 2_000

/**
 * Stands between Kafka clients and a broker and does what networks do. A request that is held when its client goes away is still
 * delivered when it is released, as one that was under way in a network would be.
 */
export class TcpProxy {
  /** host:port that clients connect to. */
  readonly address: string
  onRequest: ((request: ProxiedRequest) => Verdict | Promise<Verdict>) | undefined
  onResponse: ((response: ProxiedResponse) => Verdict | Promise<Verdict>) | undefined
  /** Connections accepted so far. */
  accepted = 0
  readonly #target: string
  readonly #port: number
  readonly #pairs = new Set<Pair>()
  readonly #gates = new Map<Direction, { opened: Promise<void>; open: () => void }>()
  readonly #delaysMs = new Map<Direction, number>()
  #server: Server | undefined

  /** Listens on a free port and forwards to `target` (host:port). */
  static async listen(target: string): Promise<TcpProxy> {
    const [port = 0] = await freePorts(1)
    const proxy = new TcpProxy(target, port)
    await proxy.accept()
    return proxy
  }

  private constructor(target: string, port: number) {
    this.#target = target
    this.#port = port
    this.address = `127.0.0.1:${port}`
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Holds back every frame of a direction, of all connections, until `release`. */
  hold(direction: Direction): void {
    if (this.#gates.has(direction)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#gates.set(direction, { opened: promise, open: resolve })
  }

  /** Forwards what was held, and all that follows; both directions unless one is named. */
  release(direction?: Direction): void {
    for (const each of direction ? [direction] : (['requests', 'responses'] as const)) {
      this.#gates.get(each)?.open()
      this.#gates.delete(each)
    }
  }

  /** Every later frame of a direction arrives this much later; 0 ends it. */
  delay(direction: Direction, delayMs: number): void {
    this.#delaysMs.set(direction, delayMs)
  }

  /** Cuts all connections to clients. Requests that are held stay under way to the broker. */
  cut(): void {
    for (const pair of this.#pairs) pair.client.destroy()
  }

  /** New connections are refused; those that exist stay. */
  async refuse(): Promise<void> {
    this.#server?.close()
    this.#server = undefined
  }

  /** Accepts connections again after `refuse`. */
  async accept(): Promise<void> {
    if (this.#server) return
    const server = createServer({ allowHalfOpen: false }, (client) => this.#connect(client))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#server = server
  }

  async close(): Promise<void> {
    await this.refuse()
    this.release()
    for (const pair of this.#pairs) {
      pair.client.destroy()
      pair.broker.destroy()
    }
  }

  #connect(client: Socket): void {
    const connection = ++this.accepted
    const colon = this.#target.lastIndexOf(':')
    const broker = connect(Number(this.#target.slice(colon + 1)), this.#target.slice(0, colon))
    // Answers come in the order of the requests, so the first one open is the one answered.
    const open: Omit<ProxiedRequest, 'frame'>[] = []
    const requests = new FramePump(client, broker, async (frame, arrivedAtMs) => {
      await this.#passage('requests', arrivedAtMs)
      const request = { ...requestHeader(frame), connection }
      const verdict = await this.onRequest?.({ ...request, frame })
      if (verdict !== 'drop' && verdict !== 'cut') open.push(request)
      if (verdict === 'cut') client.destroy()
      return verdict === 'cut' ? 'drop' : verdict
    })
    const responses = new FramePump(broker, client, async (frame, arrivedAtMs) => {
      const correlationId = frame.readInt32BE(0)
      const index = open.findIndex((request) => request.correlationId === correlationId)
      const request = index < 0 ? undefined : open.splice(index, 1)[0]
      await this.#passage('responses', arrivedAtMs)
      const verdict = await this.onResponse?.({ request, connection, frame })
      if (verdict === 'cut') client.destroy()
      return verdict === 'cut' ? 'drop' : verdict
    })
    const pair = { client, broker }
    this.#pairs.add(pair)
    broker.on('close', () => {
      this.#pairs.delete(pair)
      void responses.drained().then(() => client.end())
    })
    client.on('close', () => {
      void requests
        .drained()
        .then(() => setTimeout(() => broker.destroy(), requests.delivered > responses.delivered ? lingerMs : 0))
    })
  }

  async #passage(direction: Direction, arrivedAtMs: number): Promise<void> {
    const waitMs = arrivedAtMs + (this.#delaysMs.get(direction) ?? 0) - performance.now()
    if (waitMs > 0) await Bun.sleep(waitMs)
    for (let gate = this.#gates.get(direction); gate; gate = this.#gates.get(direction)) await gate.opened
  }
}

function requestHeader(frame: Buffer): { apiKey: number; apiVersion: number; correlationId: number } {
  return { apiKey: frame.readInt16BE(0), apiVersion: frame.readInt16BE(2), correlationId: frame.readInt32BE(4) }
}
