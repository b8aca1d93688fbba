/** Where what the executable says goes: a log on stderr, and on stdout what a person reads first. */
import { type Settings } from '../config.ts'
import { clearLine, loggerOf } from '../log.ts'
import { type StoreLogging } from '../store/messages.ts'

export function loggingOf({ logLevel: level, structuredLogging: structured }: Settings): StoreLogging {
  return { level, structured, clearsLine: process.stderr.isTTY }
}

/** A collector of logs gets all of it as a part of the log. */
export function printerOf({ structured }: StoreLogging): (line: string) => void {
  if (structured) return (line) => loggerOf('main').info('{line}', { line: line.trim() })
  // A progress bar may stand there.
  const before = process.stdout.isTTY ? clearLine : ''
  return (line) => void process.stdout.write(`${before}${line}\n`)
}
