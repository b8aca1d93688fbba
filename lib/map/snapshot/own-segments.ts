/** Makes segments independent of the log file that they show. Their content does not change. */
import { messageOf } from '../../errors.ts'
import { own } from '../../linux/mapped-memory.ts'
import type { FromSnapshotThread, OwnJob } from './snapshot-job.ts'

/** Posts each segment, and what has come of all. Never throws. */
export function ownSegments({ segments }: OwnJob, post: (message: FromSnapshotThread) => void): void {
  try {
    for (const { number, buffer, byteOffset, length } of segments) {
      if (!own(new Uint8Array(buffer, byteOffset, length))) throw new Error('the system gave no memory')
      post({ kind: 'segment', number })
    }
    post({ kind: 'owned' })
  } catch (error) {
    const message = `copy what was restored: ${messageOf(error)}`
    post({ kind: 'failed', failure: { kind: 'failed', reason: 'memory', message }, isLogLost: false })
  }
}
