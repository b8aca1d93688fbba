import { type ErrorCode, LatchkeyError, messageOf } from '../../errors.ts'

const unreadable: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['record_batch_corrupt', 'entry_too_large'])

/**
 * Skipping a damaged changelog batch, or a record that cannot be held, would lose values that are nowhere else.
 * @param times in how many fetches it came so
 */
export function corruptChangelog(topic: string, partition: number, error: unknown, times = 1): unknown {
  if (!(error instanceof LatchkeyError) || !unreadable.has(error.code)) return error
  const advice = `delete topic ${topic} and it is rebuilt from the source`
  const found = `${messageOf(error)}${times > 1 ? `, in ${times} fetches` : ''}`
  const message = `Reading ${topic} partition ${partition}: ${found}; ${advice}`
  return new LatchkeyError(error.code, message, { cause: error })
}
