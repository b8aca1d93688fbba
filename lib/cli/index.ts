/** The commands that ask a running store. */
import { type ClientCommand, type ConfigInput, helpText, isHelpFlag, readClientSettings } from '../config/index.ts'
import { escapeControls } from '../log/escape.ts'
import { readArguments } from './arguments.ts'
import { dump } from './dump.ts'
import { get } from './get.ts'
import { NoAnswer } from './no-answer.ts'
import { OutputClosed, OutputFailed, printOwn } from './output.ts'
import { status } from './status.ts'
import { StoreClient } from './store-client.ts'
import { watch } from './watch.ts'

export { printOwn } from './output.ts'

const run = { get, dump, watch, status }
const noAnswer = 3

/**
 * Runs a command. Errors of the store go to stderr.
 * @param input its argv begins with the command
 * @returns the exit code
 * @throws LatchkeyError invalid_settings
 */
export async function runClientCommand(command: ClientCommand, input: ConfigInput): Promise<number> {
  if (input.argv.some(isHelpFlag)) {
    await printOwn(helpText({ topic: 'commands', columns: process.stdout.columns }))
    return 0
  }
  const given = readArguments(command, input.argv.slice(1))
  const client = new StoreClient(readClientSettings(input, given.client))
  try {
    return await run[command](client, given)
  } catch (thrown) {
    // The reader of the output has what it wants, as with head.
    if (thrown instanceof OutputClosed) return 0
    if (!(thrown instanceof NoAnswer || thrown instanceof OutputFailed)) throw thrown
    process.stderr.write(`latchkey: ${escapeControls(thrown.message)}\n`)
    return noAnswer
  }
}
