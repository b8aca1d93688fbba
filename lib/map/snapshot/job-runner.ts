/** Runs jobs in a snapshot thread, one at a time, and notices when the thread hangs or ends. */
import { LatchkeyError } from '../../errors.ts'
import type { SnapshotFailure } from './faults.ts'
import { aborted, type FromSnapshotThread, reading, type ThreadJob } from './snapshot-job.ts'
import { type SnapshotPort, type SnapshotPortEvents, startSnapshotThread } from './start-snapshot-thread.ts'

/** The thread counts as hung when it has been silent for so long. It reports each segment. */
const silenceMaxMs = 60_000

export interface JobRunnerOptions {
  /** Starts the thread. */
  readonly start?: (events: SnapshotPortEvents) => SnapshotPort
  readonly silenceMaxMs?: number
}

export type JobOutcome = Exclude<FromSnapshotThread, { kind: 'segment' | 'progress' }>

interface Running {
  readonly job: ThreadJob
  /** The thread is done with a segment. */
  readonly segment: (number: number) => void
  readonly ended: (outcome: JobOutcome) => void
  silence: ReturnType<typeof setTimeout> | undefined
}

export class JobRunner {
  readonly #start: (events: SnapshotPortEvents) => SnapshotPort
  readonly #silenceMaxMs: number
  #port: SnapshotPort | undefined
  #running: Running | undefined
  #end: SnapshotFailure | undefined

  constructor(options: JobRunnerOptions) {
    this.#start = options.start ?? startSnapshotThread
    this.#silenceMaxMs = options.silenceMaxMs ?? silenceMaxMs
  }

  /** Why no more jobs run. */
  get end(): SnapshotFailure | undefined {
    return this.#end
  }

  /** Starts the thread if it does not run. Throws internal if a job runs. */
  run(job: ThreadJob, segment: (number: number) => void): Promise<JobOutcome> {
    if (this.#end !== undefined) return Promise.resolve({ kind: 'failed', failure: this.#end, isLogLost: false })
    if (this.#running !== undefined) throw new LatchkeyError('internal', 'run a snapshot job: another one runs')
    const { promise, resolve } = Promise.withResolvers<JobOutcome>()
    this.#running = { job, segment, ended: resolve, silence: undefined }
    this.#watchSilence()
    this.#port ??= this.#start({
      received: (message) => this.#received(message),
      ended: (message) => this.stop('thread', `the snapshot thread has ended: ${message}`),
    })
    this.#port.post(job)
    return promise
  }

  /** Ends the thread. The job that runs fails, and all later ones. */
  stop(reason: 'thread' | 'closed', message: string): void {
    if (this.#end !== undefined) return
    const failure: SnapshotFailure = { kind: 'failed', reason, message }
    this.#end = failure
    this.#port?.terminate()
    const running = this.#running
    if (running === undefined) return
    // From here on the memory of the segments may be used for something else.
    if (running.job.kind === 'write') Atomics.compareExchange(new Int32Array(running.job.state), 0, reading, aborted)
    this.#ended({ kind: 'failed', failure, isLogLost: true })
  }

  #received(message: FromSnapshotThread): void {
    if (this.#running === undefined) return
    if (message.kind !== 'segment' && message.kind !== 'progress') {
      this.#ended(message)
      return
    }
    if (message.kind === 'segment') this.#running.segment(message.number)
    this.#watchSilence()
  }

  #watchSilence(): void {
    const running = this.#running!
    clearTimeout(running.silence)
    const found = `the snapshot thread has been silent for ${this.#silenceMaxMs / 1000} s`
    running.silence = setTimeout(() => this.stop('thread', found), this.#silenceMaxMs)
    running.silence.unref()
  }

  #ended(outcome: JobOutcome): void {
    clearTimeout(this.#running?.silence)
    this.#running?.ended(outcome)
    this.#running = undefined
  }
}
