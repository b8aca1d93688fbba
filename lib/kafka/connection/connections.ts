/**
 * Connections to the brokers of one cluster: to a given node, or to any broker that answers. Without a connection, the
 * seeds and all learned addresses are tried in turn: a seed may never return while the cluster runs at other
 * addresses.
 */
import { LatchkeyError } from '../../errors.ts'
import type { BrokerAddress } from '../../store-protocol/client-config.ts'
import { BrokerConnection } from './broker-connection.ts'
import type { ConnectionOptions } from './connection-options.ts'
import { hedged } from './hedged.ts'

/**
 * Maximum of addresses. Those of nodes that left the metadata are kept, too: they may be the only ones to return.
 */
const nodesMax = 1_000

export class Connections {
  readonly #options: ConnectionOptions
  readonly #lateMs: number
  readonly #seeds: readonly BrokerAddress[]
  /** Address by node; the one that was updated last is at the end. */
  readonly #addresses = new Map<number, BrokerAddress>()
  /** Connections to a node by lane. */
  readonly #byNode = new Map<number, (BrokerConnection | undefined)[]>()
  /** Connections to seeds, by host:port. */
  readonly #unassigned = new Map<string, BrokerConnection>()
  /** Connections that did not answer in time. */
  readonly #silent = new WeakSet<BrokerConnection>()
  #turn = 0
  #isClosed = false

  /** @param lateMs delay of a response after which another broker is asked, too */
  constructor(seeds: readonly BrokerAddress[], options: ConnectionOptions, lateMs: number) {
    this.#seeds = seeds
    this.#lateMs = lateMs
    this.#options = options
  }

  /** Whether the address of a node is known, so that it can receive requests. */
  knows(node: number): boolean {
    return this.#addresses.has(node)
  }

  /** Returns host:port of a node; undefined if unknown. */
  addressOf(node: number): string | undefined {
    const address = this.#addresses.get(node)
    return address && `${address.host}:${address.port}`
  }

  /** Sets the address of a node, and closes its connection if the address has changed. */
  remember(node: number, address: BrokerAddress): void {
    const known = this.#addresses.get(node)
    this.#addresses.delete(node)
    this.#addresses.set(node, address)
    if (known?.host !== address.host || known.port !== address.port) this.abandon(node)
    if (this.#addresses.size <= nodesMax) return
    const [oldest] = this.#addresses.keys()
    this.#addresses.delete(oldest!)
    this.abandon(oldest!)
  }

  /**
   * Returns the connection of a lane. A broker answers the requests of a connection one after another; requests that
   * it can carry out at the same time are divided among lanes. Lane 0 is for everything else.
   * @throws LatchkeyError broker_unreachable for a node whose address is unknown
   */
  to(node: number, lane = 0): BrokerConnection {
    const lanes = this.#byNode.get(node) ?? []
    const open = lanes[lane]
    if (open !== undefined && !open.closed) return open
    open?.close()
    const address = this.#addresses.get(node)
    if (this.#isClosed || address === undefined) {
      const found = address ? 'closed' : 'its address is not known'
      throw new LatchkeyError('broker_unreachable', `Connecting to node ${node}: ${found}`)
    }
    const connection = new BrokerConnection(address, this.#options)
    lanes[lane] = connection
    this.#byNode.set(node, lanes)
    return connection
  }

  /** Closes the lanes, except lane 0. */
  closeLanes(): void {
    for (const lanes of this.#byNode.values()) for (const lane of lanes.splice(1)) lane?.close()
  }

  /** Returns an open connection to a broker that answers, or else one to the next address in turn. */
  any(): BrokerConnection {
    const [first] = this.#candidates()
    return first!
  }

  /** Sends a request that any broker can answer. A silent broker delays the response by `lateMs` at most. */
  askAround<T>(ask: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const heard = async (connection: BrokerConnection) => {
      const answer = await ask(connection)
      this.#silent.delete(connection)
      return answer
    }
    return hedged(this.#candidates(), heard, this.#lateMs, (connection) => void this.#silent.add(connection))
  }

  /** Yields connections in the order in which to ask, created on demand: open ones first. */
  *#candidates(): Generator<BrokerConnection> {
    if (this.#isClosed) throw new LatchkeyError('broker_unreachable', 'Connecting to a broker: closed')
    const seen = new Set<BrokerConnection>()
    const ofNodes = [...this.#byNode.values()].flatMap(([first]) => first ?? [])
    for (const connection of [...ofNodes, ...this.#unassigned.values()]) {
      if (connection.closed || this.#silent.has(connection)) continue
      seen.add(connection)
      yield connection
    }
    const silent: BrokerConnection[] = []
    const places = [...this.#seeds.map((address) => ({ address, node: -1 })), ...this.#learned()]
    for (let tries = 0; tries < places.length && !this.#isClosed; tries++) {
      const { address, node } = places[this.#turn++ % places.length]!
      const connection = node >= 0 ? this.to(node) : this.#toSeed(address)
      if (seen.has(connection)) continue
      seen.add(connection)
      if (this.#silent.has(connection)) silent.push(connection)
      else yield connection
    }
    // Silent brokers are better than none. All of them are asked: a pause of this process makes every broker silent.
    if (seen.size === silent.length) yield* silent
  }

  /** Marks a node that does not answer in time: requests that others can answer avoid it. */
  setSilent(node: number, isSilent: boolean): void {
    const connection = this.#byNode.get(node)?.[0]
    if (connection === undefined) return
    if (isSilent) this.#silent.add(connection)
    else this.#silent.delete(connection)
  }

  /** Closes the connections to a node and rejects their pending requests. */
  abandon(node: number, why?: string): void {
    for (const connection of this.#byNode.get(node) ?? []) connection?.close(why)
    this.#byNode.delete(node)
  }

  close(): void {
    this.#isClosed = true
    for (const connection of this.#unassigned.values()) connection.close()
    for (const node of this.#byNode.keys()) this.abandon(node)
  }

  #toSeed(address: BrokerAddress): BrokerConnection {
    const place = `${address.host}:${address.port}`
    const open = this.#unassigned.get(place)
    if (open?.closed === false) return open
    open?.close()
    const connection = new BrokerConnection(address, this.#options)
    this.#unassigned.set(place, connection)
    return connection
  }

  /** Returns the known addresses that are not seeds, with their nodes. */
  #learned(): { address: BrokerAddress; node: number }[] {
    return [...this.#addresses]
      .map(([node, address]) => ({ node, address }))
      .filter(({ address }) => !this.#seeds.some(({ host, port }) => host === address.host && port === address.port))
  }
}
