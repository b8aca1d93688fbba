/** From the least to the most severe. */
export const logLevels = ['trace', 'debug', 'info', 'warning', 'error'] as const

export type LogLevel = (typeof logLevels)[number]
