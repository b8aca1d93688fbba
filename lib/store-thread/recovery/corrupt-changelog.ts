import { LatchkeyError, messageOf } from '../../errors.ts'

/**
 * Adds advice to the error of an unreadable changelog batch. Skipping such a batch would lose values that exist nowhere
 * else.
 * @param times number of fetches in which it was damaged
 * @returns an error of the same code with advice, or `error` itself if it has another cause
 */
export function corruptChangelog(topic: string, partition: number, error: unknown, times = 1): unknown {
  if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') return error
  const advice = `delete topic ${topic} and it is rebuilt from the source`
  const found = `${messageOf(error)}${times > 1 ? `, in ${times} fetches` : ''}`
  const message = `Reading ${topic} partition ${partition}: ${found}; ${advice}`
  return new LatchkeyError(error.code, message, { cause: error })
}
