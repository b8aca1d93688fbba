/**
 * Connections to the brokers of one cluster: to a node, and to any broker that answers. Where none is connected, the seeds and every address learned are
 * tried in turn: a seed may never come back while the cluster lives on at other addresses.
 */
import { type BrokerAddress } from '../../store-protocol/client-config.ts'
import { LatchkeyError } from '../../errors.ts'
import { hedged } from './hedged.ts'
import { BrokerConnection, type ConnectionOptions } from './kafkajs.ts'

/** Addresses are kept of nodes that the cluster does not name now: those may be the only ones to come back. */
const nodesMax = 1_000

export class Connections {
  readonly #options: ConnectionOptions
  readonly #lateMs: number
  readonly #seeds: readonly BrokerAddress[]
  /** By node, the one heard of last at the end. */
  readonly #addresses = new Map<number, BrokerAddress>()
  readonly #byNode = new Map<number, BrokerConnection>()
  /** To seeds, by host:port. */
  readonly #strays = new Map<string, BrokerConnection>()
  /** Those that have not answered in time. */
  readonly #silent = new WeakSet<BrokerConnection>()
  #turn = 0
  #isClosed = false

  /** @param lateMs how late an answer has to be before another broker is asked as well */
  constructor(seeds: readonly BrokerAddress[], options: ConnectionOptions, lateMs: number) {
    this.#seeds = seeds
    this.#lateMs = lateMs
    this.#options = options
  }

  /** Whether a node's address is known, so that it can be asked. */
  knows(node: number): boolean {
    return this.#addresses.has(node)
  }

  /** host:port of a node; undefined where it is not known. */
  addressOf(node: number): string | undefined {
    const address = this.#addresses.get(node)
    return address && `${address.host}:${address.port}`
  }

  /** A node is reached here from now on. */
  remember(node: number, address: BrokerAddress): void {
    const known = this.#addresses.get(node)
    this.#addresses.delete(node)
    this.#addresses.set(node, address)
    if (known?.host !== address.host || known.port !== address.port) this.#disconnect(node)
    if (this.#addresses.size <= nodesMax) return
    const [oldest] = this.#addresses.keys()
    this.#addresses.delete(oldest!)
    this.#disconnect(oldest!)
  }

  /** @throws LatchkeyError broker_unreachable for a node whose address is not known */
  to(node: number): BrokerConnection {
    const open = this.#byNode.get(node)
    if (open !== undefined && !open.closed) return open
    open?.close()
    const address = this.#addresses.get(node)
    if (this.#isClosed || address === undefined) {
      const found = address ? 'closed' : 'its address is not known'
      throw new LatchkeyError('broker_unreachable', `Connecting to node ${node}: ${found}`)
    }
    const connection = new BrokerConnection(address, this.#options)
    this.#byNode.set(node, connection)
    return connection
  }

  /** One that stands and answers, or else one to the address whose turn it is. */
  any(): BrokerConnection {
    const [first] = this.#candidates()
    return first!
  }

  /** Asks for what any broker can answer: one that is silent holds that up for no longer than an answer may be late. */
  askAround<T>(ask: (connection: BrokerConnection) => Promise<T>): Promise<T> {
    const heard = async (connection: BrokerConnection) => {
      const answer = await ask(connection)
      this.#silent.delete(connection)
      return answer
    }
    return hedged(this.#candidates(), heard, this.#lateMs, (connection) => void this.#silent.add(connection))
  }

  /** In the order in which they are to be asked, made as they are wanted: connected ones first. */
  *#candidates(): Generator<BrokerConnection> {
    if (this.#isClosed) throw new LatchkeyError('broker_unreachable', 'Connecting to a broker: closed')
    const seen = new Set<BrokerConnection>()
    for (const connection of [...this.#byNode.values(), ...this.#strays.values()]) {
      if (connection.closed || this.#silent.has(connection)) continue
      seen.add(connection)
      yield connection
    }
    const places = [...this.#seeds.map((address) => ({ address, node: -1 })), ...this.#learned()]
    for (let tries = 0; tries < places.length && !this.#isClosed; tries++) {
      const { address, node } = places[this.#turn++ % places.length]!
      const connection = node >= 0 ? this.to(node) : this.#toSeed(address)
      if (seen.has(connection) || this.#silent.has(connection)) continue
      seen.add(connection)
      yield connection
    }
    // A silent one is better than none.
    if (seen.size === 0) yield this.#toSeed(this.#seeds[this.#turn % this.#seeds.length]!)
  }

  /** Nobody is to wait for a node that does not answer in time, where another one can be asked. */
  setSilent(node: number, isSilent: boolean): void {
    const connection = this.#byNode.get(node)
    if (connection === undefined) return
    if (isSilent) this.#silent.add(connection)
    else this.#silent.delete(connection)
  }

  /** Ends what is under way with a node. */
  abandon(node: number, why: string): void {
    this.#byNode.get(node)?.close(why)
    this.#byNode.delete(node)
  }

  close(): void {
    this.#isClosed = true
    for (const connection of [...this.#strays.values(), ...this.#byNode.values()]) connection.close()
  }

  #toSeed(address: BrokerAddress): BrokerConnection {
    const place = `${address.host}:${address.port}`
    const open = this.#strays.get(place)
    if (open?.closed === false) return open
    open?.close()
    const connection = new BrokerConnection(address, this.#options)
    this.#strays.set(place, connection)
    return connection
  }

  /** Nodes at addresses that are none of the seeds’. */
  #learned(): { address: BrokerAddress; node: number }[] {
    return [...this.#addresses]
      .map(([node, address]) => ({ node, address }))
      .filter(({ address }) => !this.#seeds.some(({ host, port }) => host === address.host && port === address.port))
  }

  #disconnect(node: number): void {
    this.#byNode.get(node)?.close()
    this.#byNode.delete(node)
  }
}
