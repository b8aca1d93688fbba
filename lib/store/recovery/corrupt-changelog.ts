import { LatchkeyError, messageOf } from '../../errors.ts'
import { isOversized } from '../../kafka/record-batch/index.ts'

/** Skipping a damaged changelog batch would lose values that are nowhere else. */
export function corruptChangelog(topic: string, partition: number, error: unknown): unknown {
  if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') return error
  if (isOversized(error)) return error // the fetcher reads it in pieces
  const advice = `delete topic ${topic} and it is rebuilt from the source`
  const message = `Recovering from ${topic} partition ${partition}: ${messageOf(error)}; ${advice}`
  return new LatchkeyError('record_batch_corrupt', message, { cause: error })
}
