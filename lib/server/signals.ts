/** Handlers of SIGINT and SIGTERM. */
import { constants } from 'node:os'
import { loggerOf } from '../log/index.ts'

/** `timeout`, `npm run` and others pass on a signal that the whole process group gets, too. */
const sameSignalMs = 500

/**
 * Resolves when the process has to stop: at SIGINT, or some time after SIGTERM, which a second signal ends. A further
 * one ends the process at once.
 * @param delaySeconds time after SIGTERM
 * @param delayed called when this time begins
 */
export function signalled(delaySeconds = 0, delayed: () => void = () => {}): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const log = loggerOf('main')
  let signalledAt: number | undefined
  let delay: Timer | undefined
  const stop = (message: string, properties: Record<string, unknown> = {}) => {
    clearTimeout(delay)
    delay = undefined
    log.info(message, properties)
    resolve()
  }
  const received = (name: 'SIGINT' | 'SIGTERM') => {
    const now = performance.now()
    if (signalledAt !== undefined && now - signalledAt <= sameSignalMs) return
    const isFirst = signalledAt === undefined
    signalledAt = now
    if (isFirst && name === 'SIGTERM' && delaySeconds > 0) {
      log.info('{name}: not ready any more; answering for {seconds} s, then finishing', { name, seconds: delaySeconds })
      delay = setTimeout(
        () => stop('The {seconds} s are over: finishing what is under way', { seconds: delaySeconds }),
        delaySeconds * 1_000,
      )
      delayed()
    } else if (isFirst || delay !== undefined) stop('{name}: finishing what is under way', { name })
    else process.exit(128 + constants.signals[name])
  }
  process.on('SIGINT', received)
  process.on('SIGTERM', received)
  return promise
}
