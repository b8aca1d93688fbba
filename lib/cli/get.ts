/** `latchkey get KEY`: prints a value. */
import { escapeControls } from '../log/escape.ts'
import { entryLine, parseAnswer } from './answers.ts'
import type { Arguments } from './arguments.ts'
import { NoAnswer } from './no-answer.ts'
import { print } from './output.ts'
import type { StoreClient } from './store-client.ts'

const notFound = 404
const lineFeed = 10

/** @returns the exit code */
export async function get(client: StoreClient, { words, json }: Arguments): Promise<number> {
  const key = words[0]!
  try {
    await (json ? printEntry(client, key) : printValue(client, key))
    return 0
  } catch (thrown) {
    if (!(thrown instanceof NoAnswer && thrown.status === notFound && thrown.code === 'key_not_found')) throw thrown
    process.stderr.write(`latchkey: ${escapeControls(thrown.message)}\n`)
    return 1
  }
}

async function printValue(client: StoreClient, key: string): Promise<void> {
  let last: number | undefined
  for await (const piece of await client.getPieces('/stores', new URLSearchParams({ key }), '*/*')) {
    await print(piece)
    last = piece.at(-1)
  }
  if (process.stdout.isTTY && last !== lineFeed) await print('\n')
}

/** Prints the entry as many keys have it, which is one line. */
async function printEntry(client: StoreClient, key: string): Promise<void> {
  const line = await client.getText('/stores', new URLSearchParams({ keys: key }), 'application/x-ndjson')
  const { code } = parseAnswer(entryLine, line, client.url)
  if (code === undefined) return print(line)
  // The line has a code alone. The answer to a lookup has the reason in words, and what to do.
  await client.getText('/stores', new URLSearchParams({ key }), 'application/json')
  throw new NoAnswer(`Looking up the key: its entry cannot be shown (${code}); ask again, or without --json`)
}
