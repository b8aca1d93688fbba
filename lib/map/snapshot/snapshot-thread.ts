/** The snapshot thread of a store thread: writes the snapshots that it gets, one after another. */
import type { SnapshotJob } from './snapshot-job.ts'
import { systemDisk } from './system-disk.ts'
import { writeSnapshot } from './write-snapshot.ts'

declare const self: Worker

self.onmessage = ({ data }: MessageEvent<SnapshotJob>) => {
  writeSnapshot(data, systemDisk, (message) => self.postMessage(message))
}
