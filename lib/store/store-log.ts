/** Debug lines of a store's handles. Callers check isDebug() first, so that nothing is built when the level is off. */
import { messageOf } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import type { StoreState } from '../store-protocol/status.ts'
import { type Assignment, partitionsOf } from './assignment.ts'

const log = loggerOf('store')
/**
 * An area of its own: further HTTP threads do not log the area `store`, because they would repeat the main thread. Each
 * flush belongs to one thread.
 */
const flushLog = loggerOf('flush')

/** The common state of a store's initial threads. */
export function logStoreState(store: string, from: StoreState, state: StoreState): void {
  if (from !== state) log.debug('Store {store}: state {from} changed to {state}', { store, from, state })
}

export function logThreadState(store: string, assignment: Assignment, from: StoreState, state: StoreState): void {
  const partitions = partitionsOf(assignment)
  log.debug('Store {store}: thread of partitions {partitions}: state {from} changed to {state}', {
    store,
    partitions,
    from,
    state,
  })
}

/** The partitions that a thread holds, which it reports once it knows the topics. */
export function logHeld(store: string, { primaries, replicas, partitionCount }: Assignment): void {
  log.debug(
    'Store {store}: a thread holds primaries {primaries} and replicas {replicas} of a topic with {partitionCount} in all',
    {
      store,
      primaries,
      replicas,
      partitionCount,
    },
  )
}

/** Logs the end of a flush that has just begun. */
export function logFlush(store: string, flush: Promise<number>): void {
  const startedAt = performance.now()
  const msSince = () => Math.round(performance.now() - startedAt)
  flush.then(
    (operations) => {
      const properties = { store, operations, ms: msSince() }
      flushLog.debug('Flushed store {store} in {ms} ms, {operations} operations became visible', properties)
    },
    (error: unknown) => {
      const properties = { store, ms: msSince(), fault: messageOf(error) }
      flushLog.debug('Flushing store {store} failed after {ms} ms: {fault}', properties)
    },
  )
}

/** The life of a store thread, logged by the thread that starts it. */
export class ThreadLog {
  readonly #store: string
  readonly #thread: number
  readonly #startedAt = performance.now()
  #hasEnded = false

  constructor(store: string, { threadId }: Worker) {
    this.#store = store
    this.#thread = threadId
    log.debug('Store {store}: thread {thread} started', { store, thread: threadId })
  }

  /** Logs the first call alone: a thread that is terminated also reports its end. */
  ended(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const ms = Math.round(performance.now() - this.#startedAt)
    log.debug('Store {store}: thread {thread} ended after {ms} ms', { store: this.#store, thread: this.#thread, ms })
  }
}
