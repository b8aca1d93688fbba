/**
 * Cache of the nodes that coordinate groups and transactional ids. An entry is removed when its node does not answer,
 * or answers that it is not the coordinator.
 */
import { isDebug, loggerOf } from '../log/index.ts'
import type { Connections } from './connection/connections.ts'
import { brokerError } from './protocol/error-codes.ts'

const log = loggerOf('kafka')

export type CoordinatorKind = 'group' | 'transaction'

interface CoordinatorResponse {
  errorCode: number
  coordinator: { nodeId: number; host: string; port: number }
}

export class Coordinators {
  readonly #connections: Connections
  readonly #requestTimeoutMs: number
  readonly #known = new Map<string, number>()

  constructor(connections: Connections, requestTimeoutMs: number) {
    this.#connections = connections
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** Returns the node id. Rejects with a retriable error while there is no coordinator. */
  async of(kind: CoordinatorKind, key: string): Promise<number> {
    const known = this.#known.get(`${kind} ${key}`)
    if (known !== undefined) return known
    const args = { groupId: key, coordinatorType: kind === 'group' ? 0 : 1 }
    const answer = await this.#connections.askAround((connection) => {
      return connection.call('GroupCoordinator', 2, args, this.#requestTimeoutMs)
    })
    const { errorCode, coordinator } = answer as CoordinatorResponse
    if (errorCode !== 0) throw brokerError(`Finding the coordinator of ${kind} ${key}`, errorCode)
    const { nodeId, host, port } = coordinator
    this.#connections.remember(nodeId, { host, port })
    this.#known.set(`${kind} ${key}`, nodeId)
    if (isDebug()) {
      const message = 'Coordinator of {kind} {key} is node {node} at {broker}'
      log.debug(message, { kind, key, node: nodeId, broker: `${host}:${port}` })
    }
    return nodeId
  }

  forget(kind: CoordinatorKind, key: string): void {
    this.#known.delete(`${kind} ${key}`)
  }

  forgetNode(node: number): void {
    for (const [key, coordinator] of this.#known) if (coordinator === node) this.#known.delete(key)
  }
}
