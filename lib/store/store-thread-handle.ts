/**
 * The handle of one store thread and its partitions. Lookups read the shared memory here; everything else is a request
 * to the thread.
 */
import { LatchkeyError } from '../errors.ts'
import { isDebug, passedOn } from '../log/index.ts'
import { hasHeaderPrefix } from '../store-protocol/kept-headers.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { SkippedRecord } from '../store-protocol/skipped.ts'
import { Stats } from '../store-protocol/stats.ts'
import type { RecoveryProgress, StoreState } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { FromThread, PlainError, StoreLogging, ToThread, Troubles } from '../store-protocol/thread-messages.ts'
import type { Assignment } from './assignment.ts'
import { ThreadChanges } from './changes/thread-changes.ts'
import { FlushRequests } from './flush-requests.ts'
import { ProgressMeter } from './progress-meter.ts'
import { logFlush, logHeld, logThreadState } from './store-log.ts'
import type { StoreAccess, StorePort } from './store-port.ts'
import { ThreadReads } from './thread-reads.ts'
import { WriteQueue } from './write-queue.ts'

export interface StoreThreadEvents {
  /** The memory is laid out, and `held` is known. */
  opened(): void
  state(state: StoreState): void
  caughtUp(): void
  /** The topics have more partitions than when the thread started. */
  grown(partitionCount: number): void
  /** Something may have become visible, or will not become visible. */
  changed(): void
}

export class StoreThreadHandle {
  readonly #config: StoreConfig
  readonly #events: StoreThreadEvents
  readonly #thread: StorePort
  readonly #readerThread: number
  readonly #closed = Promise.withResolvers<void>()
  readonly #flushes = new FlushRequests()
  readonly #progress = new ProgressMeter()
  /** Reads of the thread's partitions. */
  readonly reads: ThreadReads
  /** Writes of the embedding program that are in progress. */
  readonly writes = new WriteQueue((message, transfer) => this.#thread.post(message, transfer))
  readonly changes: ThreadChanges
  /** Reasons by partition, one map for each type of message. */
  readonly fenced = new Map<number, string>()
  readonly halted = new Map<number, string>()
  readonly repairing = new Map<number, string>()
  readonly rebuilding = new Map<number, string>()
  readonly contested = new Map<number, string>()
  readonly foreign = new Map<number, string>()
  /** The last records that could not be stored, the latest first. */
  badRecords: readonly SkippedRecord[] = []
  state: StoreState = 'starting'
  /** The reason why the state is `failed`. */
  failure: LatchkeyError | undefined
  caughtUp = false
  /** Why nothing more is read; undefined while there is room in memory. */
  full: string | undefined
  /** Current problems of the Kafka clients. */
  troubles: Troubles = { trouble: null, partitions: [] }
  /** A key that is held here; undefined while none is known. */
  sampleKey: Uint8Array | undefined
  assignment: Assignment = { primaries: [], replicas: [], partitionCount: 0 }
  /** Counters in shared memory, written by the store thread. Has no partitions until the topics are known. */
  stats = new Stats([])
  /** Maximum size of a record batch that the changelog accepts, in bytes. */
  recordBytesMax = 0

  constructor(config: StoreConfig, logging: StoreLogging, events: StoreThreadEvents, access: StoreAccess) {
    this.#config = config
    this.reads = new ThreadReads(hasHeaderPrefix(config), config.readerPoolSize)
    this.#events = events
    this.#readerThread = access.readerThread
    this.changes = new ThreadChanges(access.readerThread, (message) => this.#send(message))
    this.#thread = access.open(config, logging, {
      received: (message) => {
        this.#received(message)
        if (this.changes.received(message)) this.#events.changed()
      },
      ended: (message) => this.#threadEnded(message),
    })
  }

  /** Null unless the thread recovers. */
  get recovery(): RecoveryProgress | null {
    return this.state === 'recovering' ? this.#progress.read(this.stats) : null
  }

  /** Sets the number of partitions of the topic, by which keys are distributed. */
  setPartitionCount(partitionCount: number): void {
    this.assignment = { ...this.assignment, partitionCount }
    this.reads.setPartitionCount(partitionCount)
  }

  /** Rejects with flush_timed_out if too many flushes wait: no flush ends while Kafka is away. */
  async flush(): Promise<number> {
    const flush = this.#flushes.begin((id) => {
      this.writes.send()
      this.#send({ type: 'flush', id })
    })
    if (isDebug()) logFlush(this.#config.storeId, flush)
    return flush
  }

  /** This process has the lock of the store's snapshots now. */
  snapshotsLocked(): void {
    this.#send({ type: 'snapshots-locked' })
  }

  /** Changes the roles of partitions. `assignment` follows. */
  want(wanted: WantedRoles): void {
    this.#send({ type: 'roles', ...wanted })
  }

  async close(): Promise<void> {
    this.writes.send()
    if (this.state !== 'failed') this.#send({ type: 'close' })
    await this.#closed.promise
    this.#thread.terminate()
  }

  #send(message: ToThread): void {
    this.#thread.post(message)
  }

  #received(message: FromThread): void {
    switch (message.type) {
      case 'opened':
        this.assignment = message
        if (isDebug()) logHeld(this.#config.storeId, message)
        this.recordBytesMax = message.recordBytesMax
        this.stats = new Stats(message.layout, message.stats)
        this.#confirm(this.reads.open(message.map, this.#readerThread))
        this.#events.opened()
        break
      case 'roles':
        this.#rolesChanged(message)
        break
      case 'map':
        this.#confirm(this.reads.receive(message.message))
        break
      case 'state':
        this.#setState(message.state)
        break
      case 'caught-up':
        this.caughtUp = true
        this.#events.caughtUp()
        break
      case 'full':
        this.full = message.reason
        this.#events.caughtUp()
        break
      case 'grown':
        this.#events.grown(message.partitionCount)
        break
      case 'trouble':
        this.troubles = message
        break
      case 'fenced':
      case 'foreign':
      case 'halted':
      case 'rebuilding':
      case 'repairing':
      case 'contested':
        this[message.type].set(message.partition, message.reason)
        break
      case 'bad-records':
        this.badRecords = message.records
        break
      case 'rebuilt':
      case 'repaired':
        this[message.type === 'rebuilt' ? 'rebuilding' : 'repairing'].delete(message.partition)
        break
      case 'sample':
        this.sampleKey = message.key
        break
      case 'flushed':
        this.#flushes.end(message.id, message.operations)
        break
      case 'flush-failed':
        this.#flushes.end(message.id, LatchkeyError.of(message.error))
        break
      case 'written':
        this.writes.written(message.partition, message.count)
        break
      case 'write-refused':
        this.writes.refused(message.partition, message.count, LatchkeyError.of(message.error))
        break
      case 'log':
        passedOn(message.record)
        break
      case 'failed':
        this.#fail(message.error)
        // Its resources are released. If it stayed, it would keep a program running that does not close the store.
        this.#thread.terminate()
        break
      case 'closed':
        this.#ended(new LatchkeyError('stopping', `Closing store ${this.#config.storeId}: it was closed first`))
        break
    }
  }

  #rolesChanged({ primaries, replicas }: WantedRoles): void {
    this.assignment = { ...this.assignment, primaries, replicas }
    if (isDebug()) logHeld(this.#config.storeId, this.assignment)
    const reasons = [this.fenced, this.halted, this.repairing, this.rebuilding, this.contested, this.foreign]
    // What was reported of a primary does not concern others.
    const others = (one: ReadonlyMap<number, string>) => [...one.keys()].filter((held) => !primaries.includes(held))
    for (const one of reasons) for (const partition of others(one)) one.delete(partition)
    this.#events.state(this.state)
  }

  #confirm(version: number): void {
    this.#send({ type: 'confirmed', readerThread: this.#readerThread, version })
  }

  #setState(state: StoreState): void {
    if (this.state === state || this.state === 'failed') return
    // Messages sent before the stop may still report an earlier state.
    if (this.state === 'stopping' && state !== 'failed') return
    if (isDebug()) logThreadState(this.#config.storeId, this.assignment, this.state, state)
    this.state = state
    if (state === 'recovering') this.#progress.start()
    this.#events.state(state)
  }

  #threadEnded(message?: string): void {
    if (message !== undefined) this.#fail({ code: 'internal', message: `The store thread ended: ${message}` })
    if (this.state !== 'stopping') this.#fail({ code: 'internal', message: 'The store thread ended without an error' })
    this.#ended(new LatchkeyError('stopping', 'The store thread ended'))
  }

  #fail({ code, message }: PlainError): void {
    if (this.failure !== undefined) return
    this.failure = LatchkeyError.of({ code, message })
    this.#setState('failed')
    this.#ended(this.failure)
  }

  /** The thread sends nothing more: rejects everything that waits, with the reason. */
  #ended(error: LatchkeyError): void {
    this.#flushes.endAll(error)
    const found = `the changelog has not acknowledged it, and may or may not contain it: ${error.message}`
    this.writes.end(new LatchkeyError(error.code, `Writing to store ${this.#config.storeId}: ${found}`))
    this.#closed.resolve()
  }
}
