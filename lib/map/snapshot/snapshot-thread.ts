/** The snapshot thread of a store thread: does what it gets, one after another. */
import { ownSegments } from './own-segments.ts'
import type { FromSnapshotThread, ThreadJob } from './snapshot-job.ts'
import { systemDisk } from './system-disk.ts'
import { writeSnapshot } from './write-snapshot.ts'

declare const self: Worker

function post(message: FromSnapshotThread): void {
  self.postMessage(message)
}

self.onmessage = ({ data }: MessageEvent<ThreadJob>) => {
  if (data.kind === 'write') writeSnapshot(data, systemDisk, post)
  else ownSegments(data, post)
}
