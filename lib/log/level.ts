/** From the least to the most severe. */
export const logLevels = ['trace', 'debug', 'info', 'warning', 'error'] as const

export type LogLevel = (typeof logLevels)[number]

let isDebugEnabled = false
let isTraceEnabled = false

/** Keeps the level of this thread for isDebug() and isTrace(). */
export function keepLevel(level: LogLevel): void {
  isTraceEnabled = level === 'trace'
  isDebugEnabled = isTraceEnabled || level === 'debug'
}

/** Whether this thread logs debug records. Check it before the properties of a record are built. */
export function isDebug(): boolean {
  return isDebugEnabled
}

/** Whether this thread logs trace records. Check it before the properties of a record are built. */
export function isTrace(): boolean {
  return isTraceEnabled
}
