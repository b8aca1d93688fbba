/**
 * The snapshot thread of a store thread: does what it gets, one after another. Ingest and lookups come first where they
 * need the processors: nothing waits for a snapshot.
 */
import { getPriority, setPriority } from 'node:os'
import { ownSegments } from './own-segments.ts'
import type { FromSnapshotThread, ThreadJob } from './snapshot-job.ts'
import { systemDisk } from './system-disk.ts'
import { writeSnapshot } from './write-snapshot.ts'

declare const self: Worker

/**
 * With so much more niceness, the scheduler gives it a third of what it gives to another thread that wants a processor.
 * With less of one a snapshot would take long, and the next restart read more of the changelog.
 */
const niceness = 5
const nicenessMax = 19

yieldToOthers()

function post(message: FromSnapshotThread): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ThreadJob>) => {
  if (data.kind === 'write') writeSnapshot(data, systemDisk, post)
  else ownSegments(data, post)
}

function yieldToOthers(): void {
  // On Linux it is that of the calling thread. Elsewhere it would be that of the process.
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(nicenessMax, getPriority(0) + niceness))
  } catch {
    // A filter of system calls may forbid it. Then it is as the others.
  }
}
