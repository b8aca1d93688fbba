/**
 * Cache of the nodes that coordinate groups and transactional ids. An entry is removed when its node does not answer,
 * or answers that it is not the coordinator.
 */
import { isDebug, loggerOf } from '../log/index.ts'
import type { Connections } from './connection/connections.ts'
import { Encoder, type RawRequest } from './connection/raw-request.ts'
import { joined } from './joined.ts'
import { apiKeys } from './protocol/api-keys.ts'
import { brokerError } from './protocol/error-codes.ts'
import { noTags, writeCompactLength, writeCompactString } from './protocol/flexible.ts'
import { malformed, reading, ResponseCursor } from './protocol/response-cursor.ts'

const log = loggerOf('kafka')

export type CoordinatorKind = 'group' | 'transaction'

interface FoundCoordinator {
  errorCode: number
  coordinator: { nodeId: number; host: string; port: number }
}

/** First version that asks for several keys (Kafka 3.0, KIP-699). */
const versionOfMany = 4

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
    const { errorCode, coordinator } = await this.#find(kind, key)
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

  /** Finds the coordinators of all keys of the same turn with one request. */
  #find(kind: CoordinatorKind, key: string): Promise<FoundCoordinator> {
    const type = kind === 'group' ? 0 : 1
    return joined<string, FoundCoordinator>(this, kind, key, (keys) => {
      return this.#connections.askAround(async (connection) => {
        const isOfMany = (await connection.versionMax(apiKeys.FindCoordinator)) >= versionOfMany
        if (isOfMany) return parseFound(await connection.send(request(type, keys), this.#requestTimeoutMs), keys)
        const asked = keys.map((groupId) => {
          return connection.call('GroupCoordinator', 2, { groupId, coordinatorType: type }, this.#requestTimeoutMs)
        })
        return (await Promise.all(asked)) as FoundCoordinator[]
      })
    })
  }

  forget(kind: CoordinatorKind, key: string): void {
    this.#known.delete(`${kind} ${key}`)
  }

  forgetNode(node: number): void {
    for (const [key, coordinator] of this.#known) if (coordinator === node) this.#known.delete(key)
  }
}

function request(type: number, keys: readonly string[]): RawRequest {
  return {
    apiKey: apiKeys.FindCoordinator,
    apiVersion: versionOfMany,
    apiName: 'FindCoordinator',
    encode() {
      const encoder = new Encoder(64 + keys.length * 64).writeInt8(noTags).writeInt8(type)
      const unique = new Set(keys)
      writeCompactLength(encoder, unique.size)
      for (const key of unique) writeCompactString(encoder, key)
      return encoder.writeInt8(noTags)
    },
  }
}

/** @returns in the order of the keys */
function parseFound(buffer: Buffer, keys: readonly string[]): FoundCoordinator[] {
  return reading('FindCoordinator', () => {
    const response = new ResponseCursor(buffer, 'FindCoordinator')
    response.tags()
    response.skip(4) // throttle time
    const found = new Map<string, FoundCoordinator>()
    response.compactArray(() => {
      const key = response.compactString()
      const coordinator = { nodeId: response.int32(), host: response.compactString(), port: response.int32() }
      found.set(key, { errorCode: response.int16(), coordinator })
      response.compactString() // error message
      response.tags()
    })
    return keys.map((key) => {
      const one = found.get(key)
      if (one === undefined) throw malformed('FindCoordinator', `nothing about ${key}`)
      return one
    })
  })
}
