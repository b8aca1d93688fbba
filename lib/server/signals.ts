/** Handlers of SIGINT and SIGTERM. */
import { constants } from 'node:os'
import { loggerOf } from '../log/index.ts'

/** `timeout`, `npm run` and others pass on a signal that the whole process group gets, too. */
const sameSignalMs = 500

/** Resolves at the first SIGINT or SIGTERM. A later one ends the process at once. */
export function signalled(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let stoppingSince: number | undefined
  const stop = (name: 'SIGINT' | 'SIGTERM') => {
    const now = performance.now()
    if (stoppingSince !== undefined) {
      if (now - stoppingSince > sameSignalMs) process.exit(128 + constants.signals[name])
      return
    }
    stoppingSince = now
    loggerOf('main').info('{name}: finishing what is under way', { name })
    resolve()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return promise
}
