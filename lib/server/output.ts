/** Output of the executable: the log on stderr, and lines for a person on stdout. */
import type { Settings } from '../config/index.ts'
import { clearLine, loggerOf } from '../log/index.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'

/** @param term TERM of the environment */
export function loggingOf({ logLevel: level, structuredLogging: structured }: Settings, term?: string): StoreLogging {
  return { level, structured, clearsLine: takesEscapeCodes(process.stderr, term) }
}

/**
 * Whether a stream is a terminal that accepts escape codes.
 * @param term TERM of the environment
 */
export function takesEscapeCodes({ isTTY }: { isTTY?: boolean }, term: string | undefined): boolean {
  return isTTY === true && term !== 'dumb'
}

/** Prefix of lines that are warnings. */
export const warningPrefix = 'warning: '

/**
 * Returns a function that prints a line. With structured logging, lines go to the log, so that a log collector gets
 * everything.
 */
export function printerOf({ structured, clearsLine }: StoreLogging): (line: string) => void {
  if (structured) {
    const log = loggerOf('main')
    return (line) => log[line.startsWith(warningPrefix) ? 'warn' : 'info']('{line}', { line: line.trim() })
  }
  // A progress bar may be in this line of the terminal.
  const before = process.stdout.isTTY && clearsLine ? clearLine : ''
  return (line) => void process.stdout.write(`${before}${line}\n`)
}
