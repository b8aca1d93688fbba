/** Replicas that start again, empty: the changelog was truncated or recreated, and they may hold any values. */
import { listOffsets } from '../kafka/offsets.ts'
import { loggerOf } from '../log/index.ts'
import { setPartitionState } from '../store-protocol/partition-state.ts'
import { ReplicaTrail } from './changes/replica-trail.ts'
import type { FreePages } from './memory/free-pages.ts'
import { Succession } from './recovery/succession.ts'
import type { Replica } from './replica.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

export interface RefillSteps {
  /** Stops reading a replica. */
  stop(partition: number): void
  /** Reads a replica from its position on. */
  continue(partition: number): void
  /** A replica is empty, and about to be read. */
  began(partition: number): void
}

export class ReplicaRefills {
  readonly #context: StoreContext
  readonly #replicas: ReadonlyMap<number, Replica>
  readonly #pages: FreePages
  readonly #steps: RefillSteps
  readonly #refilling = new Map<number, Promise<number>>()

  constructor(context: StoreContext, replicas: ReadonlyMap<number, Replica>, pages: FreePages, steps: RefillSteps) {
    this.#context = context
    this.#replicas = replicas
    this.#pages = pages
    this.#steps = steps
  }

  /** Whether a replica is being emptied. It is not to be read meanwhile. */
  has(partition: number): boolean {
    return this.#refilling.has(partition)
  }

  /** Resolves when a replica is not being emptied any more. */
  async ended(partition: number): Promise<void> {
    await this.#refilling.get(partition)?.catch(() => {})
  }

  /** Starts a replica again: its position is in the changelog, but the records that were read before it are not. */
  async beginAgain(partition: number, found: string): Promise<void> {
    // One whose marker is read is about to be written. From then on it is repaired as a primary.
    if (this.has(partition) || this.#replicas.get(partition)?.ending?.end !== undefined) return
    this.#steps.stop(partition)
    const { replicas } = this.#context.clients
    try {
      await replicas.retryForever(() => this.refill(partition, found))
      this.#steps.continue(partition)
    } catch (error) {
      if (!replicas.signal.aborted) throw error
    }
  }

  /**
   * Empties a replica.
   * @param level of the log: whether this is a fault
   * @returns where it begins to read
   */
  async refill(partition: number, found: string, level: 'error' | 'info' = 'error'): Promise<number> {
    const emptying = this.#empty(partition, found, level)
    this.#refilling.set(partition, emptying)
    try {
      return await emptying
    } finally {
      this.#refilling.delete(partition)
    }
  }

  async #empty(partition: number, found: string, level: 'error' | 'info'): Promise<number> {
    const { clients, config, map, stats, snapshots } = this.#context
    const client = clients.replicas
    const { changelogTopic } = config
    const starts = await listOffsets(client, changelogTopic, [partition], 'earliest')
    const ends = await listOffsets(client, changelogTopic, [partition], 'latest')
    const replica = this.#replicas.get(partition)
    const hasLeft = () => this.#replicas.get(partition) !== replica
    if (replica === undefined) return 0
    const message =
      '{changelogTopic} partition {partition}: {found}. It had been read up to offset {position}; reading it again'
    log[level](message, { changelogTopic, partition, found, position: replica.position })
    setPartitionState(stats, partition, 'recovering')
    // Set at once, because the replica may be about to be marked as filled.
    replica.filled = false
    await snapshots?.leave(partition)
    if (hasLeft()) return 0
    if (replica.opened) {
      replica.opened = false
      await this.#replace(partition)
      if (hasLeft()) return 0
    } else map.clear(partition)
    replica.epochs.cut(0)
    replica.succession = new Succession()
    replica.trail = new ReplicaTrail()
    replica.isDisputed = false
    this.#context.strangers?.begins(partition)
    replica.term = -1
    replica.start = starts.get(partition)!
    replica.position = replica.start
    this.#context.changes.lags.forget(partition)
    replica.target = ends.get(partition)!
    this.#steps.began(partition)
    return replica.position
  }

  /** Has an empty partition in the map in place of a readable one. */
  async #replace(partition: number): Promise<void> {
    const { map, flusher } = this.#context
    map.remove(partition)
    await flusher.flush()
    map.add(partition)
    this.#pages.giveBack()
  }
}
