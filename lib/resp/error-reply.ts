/** Turns errors into error replies: Redis's code where Redis has one, else `LATCHKEY` and the code of errors.ts. */
import { answeredCodes, isInstance, LatchkeyError, loggedCodes, messageOf } from '../errors.ts'
import { loggerOf, RepeatedLog } from '../log/index.ts'
import type { RecoveryProgress } from '../store-protocol/status.ts'

const repeatedLog = new RepeatedLog(loggerOf('resp'))

/** A command that cannot be carried out. The message is the reply, and begins with a code such as `ERR`. */
export class CommandError extends Error {}

export function errorReply(thrown: unknown): string {
  if (isInstance(thrown, CommandError)) return thrown.message
  const error = isInstance(thrown, LatchkeyError) ? thrown : undefined
  const isAnswered = error !== undefined && answeredCodes.has(error.code)
  if (!isAnswered || loggedCodes.has(error.code)) {
    const code = error?.code ?? 'internal'
    repeatedLog.log('error', code, 'Answering a command: {error}', { error: messageOf(thrown) })
  }
  if (!isAnswered) return `LATCHKEY ${error?.code ?? 'internal'} ${error?.title ?? 'Internal error'}`
  switch (error.code) {
    case 'recovering':
    case 'rebuilding':
    case 'replica_recovering':
      return `LOADING Latchkey is loading the dataset in memory${shareOf(error)}. ${error.message}`
    default:
      return `LATCHKEY ${error.code} ${error.message}`
  }
}

function shareOf(error: LatchkeyError): string {
  const progress = error.details['progress'] as RecoveryProgress | undefined
  return progress === undefined ? '' : ` (${Math.floor(progress.percent)} %)`
}
