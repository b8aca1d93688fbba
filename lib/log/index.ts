/**
 * The log: LogTape behind three functions. It goes to stderr, a line a record, human-readable or JSON; stdout is for what a
 * person asked for. Lines are written at once, without a buffer that a crash would swallow.
 *
 * What comes from outside (keys, broker messages) belongs into properties, `logger.info('Moved to {broker}', { broker })`: braces in the
 * message itself are placeholders. In text, control characters are escaped, so that no key can write lines of its own.
 */
import { writeSync } from 'node:fs'
import { configureSync, getConfig, getLogger, type Logger, type LogRecord } from '@logtape/logtape'
import { escapeControls } from './escape.ts'
import { fatalText } from './fatal.ts'
import { jsonLine, textLine } from './format.ts'
import { type LogLevel, logLevels } from './level.ts'
import { RepeatedLog, warnUnconfigured, writePending } from './repeated.ts'

export { RepeatedLog, writePending }
export { escapeControls }
export type { Logger, LogLevel, LogRecord }

/** What a terminal takes to clear the line that the cursor is in. */
export const clearLine = '\r\u001B[2K'

export interface LoggingOptions {
  level: LogLevel
  /** One JSON object a line instead of text. */
  structured: boolean
  /** Each line first clears what stands in the line of a terminal: a progress bar, which another thread may have drawn. */
  clearsLine?: boolean
  /** An area that says the same in another thread. */
  without?: string
  /** Takes each line with its newline; stderr where absent. */
  write?: (line: string) => void
}

/** To be called once in each thread, before anything is logged there. Calling it again replaces what was. */
export function configureLogging({ level, structured, clearsLine, without, write }: LoggingOptions): void {
  const format = structured ? jsonLine : textLine
  const before = clearsLine && !structured ? clearLine : ''
  const take = write ?? writeToStderr
  configureSink(level, (record) => {
    // One write: nothing of another thread comes between.
    if (record.category[1] !== without) take(before + format(record))
  })
}

/** In place of configureLogging, in a thread whose records another one is to log: `take` passes them on to passedOn() there. */
export function passOnLog(level: LogLevel, take: (record: LogRecord) => void): void {
  configureSink(level, take)
}

/** Logs what another thread has passed on. */
export function passedOn({ category, ...record }: LogRecord): void {
  getLogger([...category]).emit(record)
}

/** Where nobody has configured LogTape in this thread, and as long as nobody does: warnings and errors of RepeatedLog go to stderr all the same. */
export function warnWithoutConfiguration(): void {
  warnUnconfigured(writeToStderr)
}

/** The least level that this thread's own configuration of LogTape logs of us; undefined where LogTape is not configured here. */
export function levelConfigured(): LogLevel | undefined {
  if (getConfig() === null) return undefined
  const logger = getLogger(['latchkey', 'store'])
  return logLevels.find((level) => logger.isEnabledFor(level)) ?? 'error'
}

/** The logger of one area: 'store', 'kafka', 'http', … Silent until logging is configured. */
export function loggerOf(area: string): Logger {
  return getLogger(['latchkey', area])
}

/** Sentences that were found before there was a log, or before it was their turn. */
export function warnEach(area: string, sentences: readonly string[]): void {
  for (const sentence of sentences) loggerOf(area).warn('{sentence}', { sentence })
}

/** Why the process ends, to stderr at once, in a line or, where the message has several, in several. */
export function logFatal(message: string, structured: boolean, hint?: string): void {
  writeToStderr(fatalText(message, structured, hint))
}

function configureSink(level: LogLevel, sink: (record: LogRecord) => void): void {
  configureSync({
    reset: true,
    sinks: { ours: sink },
    loggers: [
      { category: 'latchkey', lowestLevel: level, sinks: ['ours'] },
      { category: ['logtape', 'meta'], lowestLevel: 'warning', sinks: ['ours'] },
    ],
  })
}

function writeToStderr(line: string): void {
  try {
    writeSync(2, line)
  } catch {
    // A full or closed stderr must end neither the store nor this thread.
  }
}
