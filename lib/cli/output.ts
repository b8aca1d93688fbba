/** Output of the commands. */
import { once } from 'node:events'
import { escapeControls } from '../log/escape.ts'

/** The reader of the output has closed it, as `head` does. */
export class OutputClosed extends Error {}

/** Writes to stdout, and waits until it takes more. @throws OutputClosed */
export async function print(bytes: Uint8Array | string): Promise<void> {
  if (closed !== undefined) throw closed
  if (!process.stdout.write(bytes)) await Promise.race([once(process.stdout, 'drain'), closing])
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

/** Returns text of others without anything that a terminal would obey. Lines stay lines. */
export function forTerminal(text: string): string {
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
