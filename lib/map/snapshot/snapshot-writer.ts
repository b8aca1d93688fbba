/** Takes snapshots of a map, one partition at a time, with a thread that writes them. For the writer's thread. */
import { LatchkeyError } from '../../errors.ts'
import type { ChiralMap } from '../writer/chiral-map.ts'
import type { Capture } from '../writer/snapshot-access.ts'
import { systemCodeOf } from './disk.ts'
import { failureOf, type SnapshotFailure } from './faults.ts'
import { JobRunner, type JobRunnerOptions } from './job-runner.ts'
import { dataBytesOf } from './manifest.ts'
import { hurry } from './pace.ts'
import type { SnapshotDirectory } from './snapshot-directory.ts'
import { stateBytes } from './snapshot-job.ts'

export interface SnapshotTaken {
  readonly kind: 'taken'
  readonly generation: number
  readonly entries: number
  /** Written for this snapshot. */
  readonly writtenBytes: number
  /** Of all its files. */
  readonly totalBytes: number
  readonly seconds: number
  /** The same, without its pauses. */
  readonly busySeconds: number
}

export interface SnapshotWriterOptions extends JobRunnerOptions {
  /** Returns whether so many bytes may be kept in memory. Without it they always may. */
  readonly mayKeep?: (bytes: number) => boolean
}

class NoRoom extends Error {}

/** A snapshot makes no pauses when it keeps more than one part in this many of the map's memory from being used again. */
const keptShare = 20

export class SnapshotWriter {
  readonly #map: ChiralMap
  readonly #directory: SnapshotDirectory
  readonly #runner: JobRunner
  readonly #mayKeep: (bytes: number) => boolean
  /** Copies of tables. Kept, because the engine does not reliably free shared memory. */
  #table = new SharedArrayBuffer(0)
  #last: Promise<unknown> = Promise.resolve()
  /** Of the snapshot that is being written, or was the last. */
  #state: SharedArrayBuffer | undefined
  #isHurried = false

  /** Starts no thread: the first take() or own() does. */
  constructor(map: ChiralMap, directory: SnapshotDirectory, options: SnapshotWriterOptions = {}) {
    this.#map = map
    this.#directory = directory
    this.#runner = new JobRunner(options)
    this.#mayKeep = options.mayKeep ?? (() => true)
  }

  /** Whether no more snapshots are taken: the thread hung or ended, or close() was called. */
  get isOff(): boolean {
    return this.#runner.end !== undefined
  }

  /**
   * Writes a snapshot of a live partition, with `facts` in its manifest: plain JSON that was noted before the last
   * publish began. What the map has got since is in the snapshot, too. Resolves with a failure if the disk or the thread
   * fails; the files of before are whole then. Rejects as publish(). Waits for the calls before it.
   */
  take(partition: number, facts: unknown): Promise<SnapshotTaken | SnapshotFailure> {
    return this.#enqueue(() => this.#take(partition, facts))
  }

  /**
   * Copies what was restored without being read, so that no later fault of the disk matters. To be called once the store
   * answers. Resolves with a failure if the system gives no memory, or if the thread fails; all stays as it is then.
   * Waits for the calls before it.
   */
  own(): Promise<SnapshotFailure | undefined> {
    return this.#enqueue(() => this.#own())
  }

  /**
   * Has the snapshot that is being written make no further pauses.
   * @param isLasting whether no later one makes any either
   */
  hurry(isLasting = false): void {
    this.#isHurried ||= isLasting
    if (this.#state !== undefined) hurry(this.#state)
  }

  /**
   * Ends the thread. A snapshot that is being written fails, and the files of before are whole. What own() has not copied
   * is copied by this thread.
   */
  close(): void {
    this.#runner.stop('closed', 'the store is closed')
    this.#directory.mapped.close(this.#map.snapshots)
  }

  #enqueue<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step)
    this.#last = result.catch(() => {})
    return result
  }

  async #own(): Promise<SnapshotFailure | undefined> {
    const { mapped } = this.#directory
    const segments = mapped.all
    if (segments.length === 0) return undefined
    const owned = (number: number) => mapped.owned(this.#map.snapshots, number)
    const outcome = await this.#runner.run({ kind: 'own', segments }, owned)
    return outcome.kind === 'failed' ? outcome.failure : undefined
  }

  async #take(partition: number, facts: unknown): Promise<SnapshotTaken | SnapshotFailure> {
    const start = performance.now()
    const state = this.#begin()
    // A file that memory shows may not be written.
    const failure = (await this.#own()) ?? this.#runner.end
    if (failure !== undefined) return failure
    let capture: Capture
    try {
      capture = await this.#map.snapshots.capture(partition, (bytes) => this.#tableOf(bytes))
    } catch (error) {
      if (error instanceof NoRoom) return { kind: 'failed', reason: 'memory', message: error.message }
      throw error
    }
    const pinned = new Set(capture.segments.map(({ number }) => number))
    try {
      const files = this.#directory.filesOf(partition)
      const header = this.#directory.header(partition, this.#map.snapshots.segmentBytes)
      const plan = files.plan(header, capture, facts)
      for (const { number, sum } of plan.segments) if (sum !== undefined) this.#unpin(pinned, number)
      const job = { kind: 'write', ...plan, table: this.#table, state } as const
      const outcome = await this.#runner.run(job, (number) => {
        this.#unpin(pinned, number)
        if (this.#keepsMuch()) hurry(state)
      })
      if (outcome.kind === 'failed') {
        files.failed(outcome.isLogLost)
        return outcome.failure
      }
      if (outcome.kind === 'owned') throw new LatchkeyError('internal', `take a snapshot of ${partition}: wrong answer`)
      const { segments, index, bytes, pausedMs } = outcome
      const manifest = { ...plan.manifest, segments, index }
      files.written(manifest, capture)
      const seconds = (performance.now() - start) / 1000
      const { generation, entries } = manifest
      const written = { writtenBytes: bytes, totalBytes: dataBytesOf(manifest) }
      return { kind: 'taken', generation, entries, ...written, seconds, busySeconds: seconds - pausedMs / 1000 }
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error
      return failureOf(error)
    } finally {
      for (const number of pinned) this.#unpin(pinned, number)
    }
  }

  /** Returns the state of the next job. */
  #begin(): SharedArrayBuffer {
    const state = new SharedArrayBuffer(stateBytes)
    if (this.#isHurried) hurry(state)
    this.#state = state
    return state
  }

  #keepsMuch(): boolean {
    const { pinnedFreeBytes, touchedBytes } = this.#map.snapshots
    return pinnedFreeBytes * keptShare > touchedBytes
  }

  #unpin(pinned: Set<number>, number: number): void {
    if (pinned.delete(number)) this.#map.snapshots.unpin(number)
  }

  #tableOf(bytes: number): Int32Array {
    if (this.#table.byteLength < bytes) {
      // What it replaces counts, too: the engine may keep it.
      if (!this.#mayKeep(bytes)) throw new NoRoom(`a copy of its index has ${bytes} bytes, and memory is full`)
      this.#table = new SharedArrayBuffer(bytes)
    }
    return new Int32Array(this.#table, 0, bytes / 4)
  }
}
