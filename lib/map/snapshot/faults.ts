/** What can be wrong with a snapshot. These are values: a snapshot that cannot be used or written ends nothing. */
import { messageOf } from '../../errors.ts'
import { systemCodeOf } from './disk.ts'

/**
 * - damaged: length, sum or content is wrong
 * - newer: a later version wrote it
 * - foreign: of another seed file or byte order
 * - unreadable: the system refused to read it
 * - memory: it does not fit into the map
 */
export type SnapshotFaultReason = 'damaged' | 'newer' | 'foreign' | 'unreadable' | 'memory'

export interface SnapshotFault {
  readonly reason: SnapshotFaultReason
  /** What was found, to follow a colon. */
  readonly message: string
}

export function faultOf(reason: SnapshotFaultReason, message: string): SnapshotFault {
  return { reason, message }
}

export function isFault(value: object): value is SnapshotFault {
  return 'reason' in value
}

/**
 * - full: no space, no quota, or a limit of file sizes
 * - refused: read-only, or no permission
 * - disk: any other error of the disk
 * - memory: the system gave none to copy what was restored, or a copy of the index does not fit
 * - thread: the snapshot thread hung or ended; no more are taken
 * - closed: close() was called before it was complete
 */
export type SnapshotFailureReason = 'full' | 'refused' | 'disk' | 'memory' | 'thread' | 'closed'

export interface SnapshotFailure {
  readonly kind: 'failed'
  readonly reason: SnapshotFailureReason
  /** What was found, to follow a colon. */
  readonly message: string
}

const reasons: Readonly<Record<string, SnapshotFailureReason>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EROFS: 'refused',
  EACCES: 'refused',
  EPERM: 'refused',
}

export function failureOf(error: unknown): SnapshotFailure {
  return { kind: 'failed', reason: reasons[systemCodeOf(error) ?? ''] ?? 'disk', message: messageOf(error) }
}
