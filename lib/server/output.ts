/** Where what the executable says goes: a log on stderr, and on stdout what a person reads first. */
import { type Settings } from '../config/index.ts'
import { clearLine, loggerOf } from '../log/index.ts'
import { type StoreLogging } from '../store-protocol/messages.ts'

/** @param term TERM of the environment */
export function loggingOf({ logLevel: level, structuredLogging: structured }: Settings, term?: string): StoreLogging {
  return { level, structured, clearsLine: takesEscapeCodes(process.stderr, term) }
}

/** Whether a stream is a terminal that takes escape codes. @param term TERM of the environment */
export function takesEscapeCodes({ isTTY }: { isTTY?: boolean }, term: string | undefined): boolean {
  return isTTY === true && term !== 'dumb'
}

/** What a line begins with that warns. */
export const warningPrefix = 'warning: '

/** A collector of logs gets all of it as a part of the log. */
export function printerOf({ structured, clearsLine }: StoreLogging): (line: string) => void {
  if (structured) {
    const log = loggerOf('main')
    return (line) => log[line.startsWith(warningPrefix) ? 'warn' : 'info']('{line}', { line: line.trim() })
  }
  // A progress bar may stand there.
  const before = process.stdout.isTTY && clearsLine ? clearLine : ''
  return (line) => void process.stdout.write(`${before}${line}\n`)
}
