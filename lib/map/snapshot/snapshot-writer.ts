/** Takes snapshots of a map, one partition at a time, with a thread that writes them. For the writer's thread. */
import { LatchkeyError } from '../../errors.ts'
import type { ChiralMap } from '../writer/chiral-map.ts'
import { systemCodeOf } from './disk.ts'
import { failureOf, type SnapshotFailure } from './faults.ts'
import { dataBytesOf } from './manifest.ts'
import type { SnapshotDirectory } from './snapshot-directory.ts'
import { aborted, type FromSnapshotThread, reading, type SnapshotJob } from './snapshot-job.ts'
import { type SnapshotPort, type SnapshotPortEvents, startSnapshotThread } from './start-snapshot-thread.ts'

/** The thread counts as hung when it has been silent for so long. It reports each segment. */
const silenceMaxMs = 60_000

export interface SnapshotTaken {
  readonly kind: 'taken'
  readonly generation: number
  readonly entries: number
  /** Written for this snapshot. */
  readonly writtenBytes: number
  /** Of all its files. */
  readonly totalBytes: number
  readonly seconds: number
}

export interface SnapshotWriterOptions {
  /** Starts the thread that writes. */
  readonly start?: (events: SnapshotPortEvents) => SnapshotPort
  readonly silenceMaxMs?: number
}

/** The snapshot that is being written. */
interface Running {
  /** Segments that the thread has not written yet. */
  readonly pinned: Set<number>
  readonly state: Int32Array
  readonly ended: (outcome: JobOutcome) => void
  silence: ReturnType<typeof setTimeout> | undefined
}

type JobOutcome = Extract<FromSnapshotThread, { kind: 'written' | 'failed' }>

export class SnapshotWriter {
  readonly #map: ChiralMap
  readonly #directory: SnapshotDirectory
  readonly #start: (events: SnapshotPortEvents) => SnapshotPort
  readonly #silenceMaxMs: number
  #port: SnapshotPort | undefined
  #running: Running | undefined
  /** Copies of tables. Kept, because the engine does not reliably free shared memory. */
  #table = new SharedArrayBuffer(0)
  #isTaking = false
  /** Why no more snapshots are taken. */
  #end: SnapshotFailure | undefined

  /** Starts no thread: the first take() does. */
  constructor(map: ChiralMap, directory: SnapshotDirectory, options: SnapshotWriterOptions = {}) {
    this.#map = map
    this.#directory = directory
    this.#start = options.start ?? startSnapshotThread
    this.#silenceMaxMs = options.silenceMaxMs ?? silenceMaxMs
  }

  /** Whether no more snapshots are taken: the thread hung or ended, or close() was called. */
  get isOff(): boolean {
    return this.#end !== undefined
  }

  /**
   * Writes a snapshot of a live partition, with `facts` in its manifest: plain JSON that was noted before the last
   * publish began. What the map has got since is in the snapshot, too. Resolves with a failure if the disk or the thread
   * fails; the files of before are whole then. Rejects as publish(), and with internal while another one is taken.
   */
  async take(partition: number, facts: unknown): Promise<SnapshotTaken | SnapshotFailure> {
    if (this.#isTaking) throw new LatchkeyError('internal', `take a snapshot of ${partition}: one is being taken`)
    this.#isTaking = true
    try {
      return await this.#take(partition, facts)
    } finally {
      this.#isTaking = false
    }
  }

  /** Ends the thread. A snapshot that is being written fails, and the files of before are whole. */
  close(): void {
    this.#stop('closed', 'the store is closed')
  }

  async #take(partition: number, facts: unknown): Promise<SnapshotTaken | SnapshotFailure> {
    if (this.#end !== undefined) return this.#end
    const start = performance.now()
    const capture = await this.#map.snapshots.capture(partition, (bytes) => this.#tableOf(bytes))
    const pinned = new Set(capture.segments.map(({ number }) => number))
    try {
      // Again, because close() may have been called meanwhile.
      if (this.#end !== undefined) return this.#end
      const files = this.#directory.filesOf(partition)
      const header = this.#directory.header(partition, this.#map.snapshots.segmentBytes)
      const job = { ...files.plan(header, capture, facts), table: this.#table, state: new SharedArrayBuffer(4) }
      for (const { number, sum } of job.segments) if (sum !== undefined) this.#unpin(pinned, number)
      const outcome = await this.#write(job, pinned)
      if (outcome.kind === 'failed') {
        files.failed(outcome.isLogLost)
        return outcome.failure
      }
      const { segments, index, bytes } = outcome
      const manifest = { ...job.manifest, segments, index }
      files.written(manifest, capture)
      const seconds = (performance.now() - start) / 1000
      const { generation, entries } = manifest
      return { kind: 'taken', generation, entries, writtenBytes: bytes, totalBytes: dataBytesOf(manifest), seconds }
    } catch (error) {
      if (systemCodeOf(error) === undefined) throw error
      return failureOf(error)
    } finally {
      for (const number of pinned) this.#unpin(pinned, number)
    }
  }

  #write(job: SnapshotJob, pinned: Set<number>): Promise<JobOutcome> {
    const { promise, resolve } = Promise.withResolvers<JobOutcome>()
    this.#running = { pinned, state: new Int32Array(job.state), ended: resolve, silence: undefined }
    this.#watchSilence()
    this.#port ??= this.#start({
      received: (message) => this.#received(message),
      ended: (message) => this.#stop('thread', `the snapshot thread has ended: ${message}`),
    })
    this.#port.post(job)
    return promise
  }

  #received(message: FromSnapshotThread): void {
    const running = this.#running
    if (running === undefined) return
    if (message.kind === 'segment') this.#unpin(running.pinned, message.number)
    if (message.kind === 'segment' || message.kind === 'progress') this.#watchSilence()
    else this.#ended(message)
  }

  #watchSilence(): void {
    const running = this.#running!
    clearTimeout(running.silence)
    const found = `the snapshot thread has been silent for ${this.#silenceMaxMs / 1000} s`
    running.silence = setTimeout(() => this.#stop('thread', found), this.#silenceMaxMs)
    running.silence.unref()
  }

  #stop(reason: 'thread' | 'closed', message: string): void {
    if (this.#end !== undefined) return
    const failure: SnapshotFailure = { kind: 'failed', reason, message }
    this.#end = failure
    this.#port?.terminate()
    const running = this.#running
    if (running === undefined) return
    // From here on the memory of the segments may be used for something else.
    Atomics.compareExchange(running.state, 0, reading, aborted)
    this.#ended({ kind: 'failed', failure, isLogLost: true })
  }

  #ended(outcome: JobOutcome): void {
    clearTimeout(this.#running?.silence)
    this.#running?.ended(outcome)
    this.#running = undefined
  }

  #unpin(pinned: Set<number>, number: number): void {
    if (pinned.delete(number)) this.#map.snapshots.unpin(number)
  }

  #tableOf(bytes: number): Int32Array {
    if (this.#table.byteLength < bytes) this.#table = new SharedArrayBuffer(bytes)
    return new Int32Array(this.#table, 0, bytes / 4)
  }
}
