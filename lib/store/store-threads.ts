/**
 * The store threads of a store, as one. The store waits for the initial threads. It adds one thread for each growth of
 * the topic, which recovers while the store runs. The first thread inspects the topics and creates missing ones; the
 * others start after that.
 */
import { isDebug } from '../log/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import { MemoryLedger } from '../store-protocol/memory-budget.ts'
import { haltedRemaining } from '../store-protocol/recovery-phase.ts'
import { layoutOf, type WantedRoles } from '../store-protocol/roles.ts'
import { mergedStats, type StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup, RecoveryProgress, StoreState } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import { configOfAdded, NotedCounts, warnNotTaken } from './added-partitions.ts'
import { type Assignment, groupRoutesOf, inGroup, mergedAssignment, takesNewPartitions } from './assignment.ts'
import { findLater } from './find-later.ts'
import { mergedState } from './merged-state.ts'
import { likelyPartition } from './partitioner.ts'
import { ProgressMeter } from './progress-meter.ts'
import { logStoreState } from './store-log.ts'
import type { StoreAccess } from './store-port.ts'
import { StoreThreadHandle } from './store-thread-handle.ts'

export interface StoreThreadsEvents {
  /** The common state of the initial threads; `failed` if any thread fails. */
  state(state: StoreState): void
  caughtUp(): void
  changed(thread: StoreThreadHandle): void
}

export class StoreThreads {
  readonly #config: StoreConfig
  readonly #logging: StoreLogging
  readonly #events: StoreThreadsEvents
  readonly #access: StoreAccess
  readonly #initial: StoreThreadHandle[] = []
  readonly #added: StoreThreadHandle[] = []
  readonly #progress = new ProgressMeter()
  #state: StoreState = 'starting'
  #assignment: Assignment = { primaries: [], replicas: [], partitionCount: 0 }
  #stats: StatsView
  readonly #counts = new NotedCounts<StoreThreadHandle>()
  /** Partitions of the plan that had the most; 0 before the first. */
  #planned = 0
  /** Undefined where no group assigns the partitions, and before it says something. */
  group: GroupReport | undefined
  /** Called whenever the assignment may have changed. */
  merged = () => {}
  /** By partition. */
  #owners: (StoreThreadHandle | undefined)[] = []

  constructor(config: StoreConfig, logging: StoreLogging, events: StoreThreadsEvents, access: StoreAccess) {
    this.#config = config.memoryMax === undefined ? config : { ...config, memoryLedger: MemoryLedger.buffer() }
    this.#logging = logging
    this.#events = events
    this.#access = access
    const count = config.storeThreads ?? 1
    const first = this.#startInitial(count > 1 ? { ...this.#config, share: { index: 0, count } } : this.#config)
    this.#stats = first.stats
  }

  get all(): readonly StoreThreadHandle[] {
    return this.#added.length === 0 ? this.#initial : [...this.#initial, ...this.#added]
  }

  /** The common state of the initial threads; `failed` as soon as any thread has failed. */
  get state(): StoreState {
    return this.#state
  }

  get isCaughtUp(): boolean {
    return this.#initial.every((handle) => handle.caughtUp)
  }

  /** Why nothing more is read; undefined while there is room in memory. The threads share it. */
  get full(): string | undefined {
    return this.all.find(({ full }) => full)?.full
  }

  get recovery(): RecoveryProgress | null {
    return this.#state === 'recovering' ? this.#progress.read(this.#stats) : null
  }

  /** Progress of recovery and catching up; null if only halted partitions are behind, or memory is full. */
  get progress(): RecoveryProgress | null {
    if (this.haltedRemaining.length > 0 || this.full !== undefined) return null
    if (this.#state === 'recovering') return this.recovery
    if (this.#state !== 'running' || this.isCaughtUp) return null
    const progress = this.#progress.read(this.#stats)
    return progress.phase === 'catching-up' && progress.percent < 100 ? progress : null
  }

  /** Halted partitions, if all other partitions have reached the end that their source had at start. */
  get haltedRemaining(): number[] {
    return this.#state === 'recovering' || this.#state === 'running' ? haltedRemaining(this.#stats) : []
  }

  get assignment(): Assignment {
    return this.#assignment
  }

  get stats(): StatsView {
    return this.#stats
  }

  get readers(): { size: number; inUse: number; waiting: number } {
    const { readers } = this.#initial[0]!.reads
    if (this.all.length === 1) return readers
    const sum = (of: 'inUse' | 'waiting') => this.all.reduce((total, { reads }) => total + reads.readers[of], 0)
    return { size: readers.size, inUse: sum('inUse'), waiting: sum('waiting') }
  }

  /** Returns the thread that holds a partition; undefined if none does. */
  ownerOf(partition: number): StoreThreadHandle | undefined {
    return this.#owners[partition]
  }

  /**
   * Looks a key up in every thread, first in the one that holds the key's partition now. The key may still be in
   * another thread, because its partition changes with the number of partitions.
   */
  find(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    if (this.#initial.length === 1 && this.#added.length === 0) return this.#initial[0]!.reads.find(key)
    const order = this.inOrder(key)
    for (const [index, handle] of order.entries()) {
      const found = handle.reads.find(key)
      if (found instanceof Promise) return findLater(found, order.slice(index + 1), key)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The threads that are read. Threads of added partitions are left out until they run. */
  get running(): StoreThreadHandle[] {
    return this.all.filter(({ state }) => state === 'running')
  }

  /** Returns the running threads in the order in which a key is looked up. */
  inOrder(key: Uint8Array): StoreThreadHandle[] {
    const { running } = this
    if (running.length <= 1) return running
    const home = this.ownerOf(likelyPartition(key, this.#assignment.partitionCount, this.#config.partitioner))
    const at = home === undefined ? -1 : running.indexOf(home)
    if (at > 0) running.unshift(...running.splice(at, 1))
    return running
  }

  setGroup(report: GroupReport): void {
    this.group = report
    this.#merge()
  }

  want(wanted: WantedRoles): void {
    for (const handle of this.all) handle.want(wanted)
  }

  snapshotsLocked(): void {
    for (const handle of this.all) handle.snapshotsLocked()
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((handle) => handle.close()))
  }

  #startInitial(config: StoreConfig): StoreThreadHandle {
    const events = {
      opened: () => this.#opened(handle),
      state: () => this.#changed(handle),
      caughtUp: () => this.#events.caughtUp(),
      grown: (partitionCount: number) => this.#grow(handle, partitionCount),
      changed: () => this.#events.changed(handle),
    }
    const handle: StoreThreadHandle = new StoreThreadHandle(config, this.#logging, events, this.#access)
    this.#initial.push(handle)
    return handle
  }

  /**
   * Starts the other initial threads, now that the number of partitions is known. Each takes its share of the
   * partitions held here.
   */
  #opened(handle: StoreThreadHandle): void {
    if (handle === this.#initial[0]) {
      const count = this.#config.storeThreads ?? 1
      const threads = Math.min(count, layoutOf(this.#config, handle.assignment.partitionCount).length)
      for (let index = 1; index < threads; index++) this.#startInitial({ ...this.#config, share: { index, count } })
    }
    this.#merge()
  }

  #merge(): void {
    const { all } = this
    if (all.length === 1) {
      this.#assignment = all[0]!.assignment
      this.#stats = all[0]!.stats
    } else {
      this.#assignment = mergedAssignment(this.#initial, this.#added)
      this.#stats = mergedStats(all.map((handle) => handle.stats))
    }
    const group = this.group && groupRoutesOf(this.group)
    this.#planned = Math.max(this.#planned, group?.complete.length ?? 0)
    if (group !== undefined) this.#assignment = inGroup(this.#assignment, group, this.#planned)
    this.#owners = []
    for (const handle of all) {
      for (const partition of [...handle.assignment.primaries, ...handle.assignment.replicas]) {
        this.#owners[partition] = handle
      }
    }
    this.merged()
  }

  #changed(handle: StoreThreadHandle): void {
    this.#merge()
    const before = this.#state
    this.#state = mergedState(this.#initial, this.#added)
    if (isDebug()) logStoreState(this.#config.storeId, before, this.#state)
    if (before === this.#state && handle.state !== 'failed') return
    if (this.#state === 'recovering') this.#progress.start()
    this.#events.state(this.#state)
  }

  /** Handles new partitions of the topic. An instance that holds all partitions takes them, too. */
  #grow(from: StoreThreadHandle, noted: number): void {
    const { all } = this
    this.#counts.note(from, noted)
    const partitionCount = this.#counts.least(all)
    const known = Math.max(...all.map((handle) => handle.assignment.partitionCount))
    if (partitionCount <= known || all.some((handle) => handle.state === 'starting')) return
    for (const handle of all) handle.setPartitionCount(partitionCount)
    if (takesNewPartitions(this.#config)) this.#startAdded(known, partitionCount)
    else warnNotTaken(partitionCount)
    this.#merge()
  }

  /** Starts a thread for the partitions from `known` on. */
  #startAdded(known: number, partitionCount: number): void {
    const config = configOfAdded(this.#config, known, partitionCount)
    const events = {
      opened: () => this.#merge(),
      state: () => this.#changed(handle),
      caughtUp: () => {},
      grown: (count: number) => this.#grow(handle, count),
      changed: () => this.#events.changed(handle),
    }
    const handle: StoreThreadHandle = new StoreThreadHandle(config, this.#logging, events, this.#access)
    handle.setPartitionCount(partitionCount)
    this.#added.push(handle)
  }
}
