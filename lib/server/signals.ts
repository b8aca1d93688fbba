/** Handlers of SIGINT and SIGTERM. */
import { constants } from 'node:os'
import { loggerOf } from '../log/index.ts'

/** Resolves at the first SIGINT or SIGTERM. A second one ends the process at once. */
export function signalled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let isStopping = false
  const stop = (name: 'SIGINT' | 'SIGTERM') => {
    if (isStopping) process.exit(128 + constants.signals[name])
    isStopping = true
    loggerOf('main').info('{name}: finishing what is under way', { name })
    resolve()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return promise
}
