import { type ErrorCode, LatchkeyError, messageOf } from '../../errors.ts'
import { isOversized } from '../../kafka/record-batch/index.ts'

const unreadable: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['record_batch_corrupt', 'entry_too_large'])

/** Skipping a damaged changelog batch, or a record that cannot be held, would lose values that are nowhere else. */
export function corruptChangelog(topic: string, partition: number, error: unknown): unknown {
  if (isOversized(error)) return error // it is read in pieces
  if (!(error instanceof LatchkeyError) || !unreadable.has(error.code)) return error
  const advice = `delete topic ${topic} and it is rebuilt from the source`
  const message = `Reading ${topic} partition ${partition}: ${messageOf(error)}; ${advice}`
  return new LatchkeyError(error.code, message, { cause: error })
}
