/**
 * The log: LogTape behind a small interface. It writes to stderr, one line per record, human-readable or JSON; stdout
 * is for output that a user requested. Lines are written at once, without a buffer that a crash would lose. A full pipe
 * is not waited for; the number of lines that it did not take follows when it takes lines again.
 *
 * External text (keys, broker messages) belongs into properties, `logger.info('Moved to {broker}', { broker })`,
 * because braces in the message itself are placeholders. Control characters in text are escaped, so a key cannot
 * write lines.
 */
import { configureSync, getConfig, getLogger, type Logger, type LogRecord } from '@logtape/logtape'
import { escapeControls } from './escape.ts'
import { fatalText } from './fatal.ts'
import { jsonLine, textLine } from './format.ts'
import { isDebug, isTrace, keepLevel, type LogLevel, logLevels } from './level.ts'
import { RepeatedLog, warnUnconfigured, writePending } from './repeated.ts'
import { writeToStderr } from './stderr.ts'

export { RepeatedLog, writePending }
export { escapeControls }
export { isDebug, isTrace, logLevels }
export type { Logger, LogLevel, LogRecord }

/** Clears the terminal line that the cursor is in. */
export const clearLine = '\r\u001B[2K'

let ownSink: ((record: LogRecord) => void) | undefined

export interface LoggingOptions {
  level: LogLevel
  /** One JSON object per line instead of text. */
  structured: boolean
  /** Each line first clears the terminal line, which may hold a progress bar that another thread has drawn. */
  clearsLine?: boolean
  /** An area that is not logged here, because another thread logs the same. */
  without?: string
  /** Receives each line with its newline. Returns false if it dropped the line. Default: stderr. */
  write?: (line: string) => unknown
}

/**
 * Configures logging of this thread. Call it once per thread before the first log record. A second call replaces the
 * configuration.
 */
export function configureLogging({ level, structured, clearsLine, without, write }: LoggingOptions): void {
  const format = structured ? jsonLine : textLine
  const before = clearsLine && !structured ? clearLine : ''
  const take = write ?? writeToStderr
  let dropped = 0
  // A single write, so no output of another thread comes between.
  const isDropped = (record: LogRecord) => take(before + format(record)) === false
  configureSink(level, (record) => {
    if (record.category[1] === without) return
    if (dropped > 0 && !isDropped(droppedRecord(dropped, record))) dropped = 0
    if (dropped > 0 || isDropped(record)) dropped++
  })
}

/**
 * Configures a thread whose records another thread logs, instead of configureLogging. `take` passes the records to
 * passedOn() there.
 */
export function passOnLog(level: LogLevel, take: (record: LogRecord) => void): void {
  configureSink(level, take)
}

/** Logs a record that another thread has passed on. */
export function passedOn({ category, ...record }: LogRecord): void {
  getLogger([...category]).emit(record)
}

/** Changes the level of a thread that has configured its log. */
export function changeLogLevel(level: LogLevel): void {
  if (ownSink !== undefined) configureSink(level, ownSink)
}

/** Writes warnings and errors of RepeatedLog to stderr as long as LogTape is not configured in this thread. */
export function warnWithoutConfiguration(): void {
  warnUnconfigured(writeToStderr)
}

/**
 * Returns the lowest level that this thread's own LogTape configuration logs for Latchkey, or undefined if LogTape is
 * not configured here. isDebug() and isTrace() keep to this level until the next call: LogTape reports no change.
 */
export function levelConfigured(): LogLevel | undefined {
  const logger = getLogger(['latchkey', 'store'])
  const level = getConfig() === null ? undefined : (logLevels.find((each) => logger.isEnabledFor(each)) ?? 'error')
  keepLevel(level ?? 'error')
  return level
}

/** Returns the logger of an area: 'store', 'kafka', 'http', … Silent until logging is configured. */
export function loggerOf(area: string): Logger {
  return getLogger(['latchkey', area])
}

/** Logs warnings that were collected before they could be logged. */
export function warnEach(area: string, sentences: readonly string[]): void {
  for (const sentence of sentences) loggerOf(area).warn('{sentence}', { sentence })
}

/** Writes the reason for the end of the process to stderr at once. A message with several lines takes several lines. */
export function logFatal(message: string, structured: boolean, hint?: string): void {
  writeToStderr(fatalText(message, structured, hint))
}

function configureSink(level: LogLevel, sink: (record: LogRecord) => void): void {
  keepLevel(level)
  ownSink = sink
  configureSync({
    reset: true,
    sinks: { ours: sink },
    loggers: [
      { category: 'latchkey', lowestLevel: level, sinks: ['ours'] },
      { category: ['logtape', 'meta'], lowestLevel: 'warning', sinks: ['ours'] },
    ],
  })
}

function droppedRecord(lines: number, { timestamp }: LogRecord): LogRecord {
  const rawMessage = '{lines} lines are missing here: stderr is a pipe, and it was full. Read it faster'
  const message = ['', lines, rawMessage.slice('{lines}'.length)]
  const category = ['latchkey', 'log']
  return { category, level: 'warning', message, rawMessage, properties: { lines }, timestamp }
}
