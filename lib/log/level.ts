/** From the least to the most urgent. */
export const logLevels = ['trace', 'debug', 'info', 'warning', 'error'] as const

export type LogLevel = (typeof logLevels)[number]
