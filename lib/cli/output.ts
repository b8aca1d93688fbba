/** Output of the commands. */
import { once } from 'node:events'
import { escapeControls } from '../log/escape.ts'

/** The reader of the output has closed it, as `head` does. */
export class OutputClosed extends Error {}

/** Of what goes to a terminal. A character may come in two pieces. */
const decoder = new TextDecoder()

/**
 * Writes to stdout, and waits until it takes more. Characters that a terminal would obey are escaped there; in JSON they
 * are the same characters.
 * @throws OutputClosed
 */
export async function print(bytes: Uint8Array | string): Promise<void> {
  if (closed !== undefined) throw closed
  const isTaken = process.stdout.write(process.stdout.isTTY ? forTerminal(bytes) : bytes)
  if (!isTaken) await Promise.race([once(process.stdout, 'drain'), closing])
  if (closed !== undefined) throw closed
}

let closed: OutputClosed | undefined
const { promise: closing, resolve } = Promise.withResolvers<void>()

/** To be called once, before output. */
export function noticeClosing(): void {
  process.stdout.on('error', () => {
    closed = new OutputClosed()
    resolve()
  })
}

/** Lines stay lines. */
function forTerminal(bytes: Uint8Array | string): string {
  const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeControls).join('\t'))
    .join('\n')
}

/** Returns lines of whole columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
