/**
 * Connections to the brokers of one cluster: to a node, and to any broker that answers. Where none is connected, the seeds and every address learned are
 * tried in turn: a seed may never come back while the cluster lives on at other addresses.
 */
import { type BrokerAddress } from '../contract/client-config.ts'
import { LatchkeyError } from '../errors.ts'
import { BrokerConnection, type ConnectionOptions } from './kafkajs.ts'

/** Addresses are kept of nodes that the cluster does not name now: those may be the only ones to come back. */
const nodesMax = 1_000

export class Connections {
  readonly #options: ConnectionOptions
  readonly #seeds: readonly BrokerAddress[]
  /** By node, the one heard of last at the end. */
  readonly #addresses = new Map<number, BrokerAddress>()
  readonly #byNode = new Map<number, BrokerConnection>()
  /** To an address that no node is known by. */
  #stray: BrokerConnection | undefined
  #turn = 0
  #isClosed = false

  constructor(seeds: readonly BrokerAddress[], options: ConnectionOptions) {
    this.#seeds = seeds
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

  /** One that stands, or else one to the address whose turn it is. */
  any(): BrokerConnection {
    if (this.#isClosed) throw new LatchkeyError('broker_unreachable', 'Connecting to a broker: closed')
    for (const connection of this.#byNode.values()) if (!connection.closed) return connection
    if (this.#stray?.closed === false) return this.#stray
    this.#stray?.close()
    const places = [...this.#seeds.map((address) => ({ address, node: -1 })), ...this.#learned()]
    const { address, node } = places[this.#turn++ % places.length]!
    if (node >= 0) return this.to(node)
    this.#stray = new BrokerConnection(address, this.#options)
    return this.#stray
  }

  close(): void {
    this.#isClosed = true
    this.#stray?.close()
    for (const connection of this.#byNode.values()) connection.close()
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
