/** Starts a snapshot thread. snapshot-thread.ts is the only file that runs in it. */
import type { FromSnapshotThread, ThreadJob } from './snapshot-job.ts'

export interface SnapshotPort {
  post(job: ThreadJob): void
  terminate(): void
}

export interface SnapshotPortEvents {
  received(message: FromSnapshotThread): void
  /** The thread has ended by itself. */
  ended(message: string): void
}

export function startSnapshotThread({ received, ended }: SnapshotPortEvents): SnapshotPort {
  const worker = new Worker(new URL('./snapshot-thread.ts', import.meta.url))
  // A snapshot that is being written keeps no process alive.
  worker.unref()
  worker.onmessage = ({ data }: MessageEvent<FromSnapshotThread>) => received(data)
  worker.onerror = ({ message }) => ended(message)
  worker.addEventListener('close', () => ended('it ended'))
  return { post: (job) => worker.postMessage(job), terminate: () => worker.terminate() }
}
