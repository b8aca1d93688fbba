/** Output of the commands. */
import { escapeControls } from '../log/escape.ts'

/** The reader of the output has closed it, as `head` does. */
export class OutputClosed extends Error {}

/** The output takes no more, such as a file on a full disk. The message is for the user. */
export class OutputFailed extends Error {}

/** Of what goes to a terminal. A character may come in two pieces. */
const decoder = new TextDecoder()

const faults: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left on the device; free some, or write to another one',
  EDQUOT: 'the quota of the user is used up; free some, or write to another device',
}

/**
 * Writes to stdout. Resolves when all of it is written: until then the process must not end. Characters that a terminal
 * would obey are escaped there; in JSON they are the same characters.
 * @throws OutputClosed, OutputFailed
 */
export async function print(bytes: Uint8Array | string): Promise<void> {
  const shown = process.stdout.isTTY ? forTerminal(bytes) : bytes
  await write(shown)
}

/** Writes text of Latchkey itself, which may color a terminal. Passes over a reader that has left. @throws OutputFailed */
export async function printOwn(text: string): Promise<void> {
  try {
    await write(text)
  } catch (thrown) {
    if (!(thrown instanceof OutputClosed)) throw thrown
  }
}

async function write(shown: Uint8Array | string): Promise<void> {
  // Without a listener an error would end the process. It is reported here, as well.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => {})
  const { promise, resolve } = Promise.withResolvers<Error | null | undefined>()
  process.stdout.write(shown, resolve)
  const error = await promise
  if (!error) return
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'EPIPE') throw new OutputClosed()
  throw new OutputFailed(`Writing the output: ${faults[code] ?? message}`)
}

/** Lines stay lines. */
function forTerminal(bytes: Uint8Array | string): string {
  const text = typeof bytes === 'string' ? bytes : decoder.decode(bytes, { stream: true })
  return text
    .split('\n')
    .map((line) => line.split('\t').map(escapeControls).join('\t'))
    .join('\n')
}
