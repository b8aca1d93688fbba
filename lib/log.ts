/**
 * The log: LogTape behind three functions. It goes to stderr, a line a record, human-readable or JSON; stdout is for what a
 * person asked for. Lines are written at once, without a buffer that a crash would swallow.
 *
 * What comes from outside (keys, broker messages) belongs into properties, `logger.info('Moved to {broker}', { broker })`: braces in the
 * message itself are placeholders. In text, control characters are escaped, so that no key can write lines of its own.
 */
import { writeSync } from 'node:fs'
import { configureSync, getLogger, type Logger, type LogRecord } from '@logtape/logtape'
import { escapeControls } from './log/escape.ts'
import { jsonLine, textLine } from './log/format.ts'

export { RepeatedLog } from './log/repeated.ts'
export { escapeControls }
export type { Logger }

export type LogLevel = 'trace' | 'debug' | 'info' | 'warning' | 'error'

export interface LoggingOptions {
  level: LogLevel
  /** One JSON object a line instead of text. */
  structured: boolean
  /** Takes each line with its newline; stderr where absent. */
  write?: (line: string) => void
}

/** To be called once in each thread, before anything is logged there. Calling it again replaces what was. */
export function configureLogging({ level, structured, write = writeToStderr }: LoggingOptions): void {
  const format = structured ? jsonLine : textLine
  configureSync({
    reset: true,
    sinks: { lines: (record: LogRecord) => write(format(record)) },
    loggers: [
      { category: 'latchkey', lowestLevel: level, sinks: ['lines'] },
      { category: ['logtape', 'meta'], lowestLevel: 'warning', sinks: ['lines'] },
    ],
  })
}

/** The logger of one area: 'store', 'kafka', 'http', … Silent until logging is configured. */
export function loggerOf(area: string): Logger {
  return getLogger(['latchkey', area])
}

/** Sentences that were found before there was a log, or before it was their turn. */
export function warnEach(area: string, sentences: readonly string[]): void {
  for (const sentence of sentences) loggerOf(area).warn('{sentence}', { sentence })
}

function writeToStderr(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // A full or closed stderr must end neither the store nor this thread.
  }
}
