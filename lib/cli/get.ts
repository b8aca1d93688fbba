/** `latchkey get KEY`: prints a value. */
import { escapeControls } from '../log/escape.ts'
import { entryLine, parseAnswer } from './answers.ts'
import type { Arguments } from './arguments.ts'
import { print } from './output.ts'
import { NoAnswer, type StoreClient } from './store-client.ts'

const notFound = 404

/** @returns the exit code */
export async function get(client: StoreClient, { words, json }: Arguments): Promise<number> {
  const key = words[0]!
  return json ? getEntry(client, key) : getValue(client, key)
}

async function getValue(client: StoreClient, key: string): Promise<number> {
  try {
    const answer = await client.get('/stores', new URLSearchParams({ key }), '*/*')
    if (!process.stdout.isTTY) {
      for await (const chunk of answer.body!) await print(chunk)
      return 0
    }
    const text = await answer.text()
    await print(text.endsWith('\n') ? text : `${text}\n`)
    return 0
  } catch (thrown) {
    if (!(thrown instanceof NoAnswer && thrown.status === notFound && thrown.code === 'key_not_found')) throw thrown
    process.stderr.write(`latchkey: ${escapeControls(thrown.message)}\n`)
    return 1
  }
}

/** Prints the entry as many keys have it, which is one line. */
async function getEntry(client: StoreClient, key: string): Promise<number> {
  const answer = await client.get('/stores', new URLSearchParams({ keys: key }), 'application/x-ndjson')
  const line = await answer.text()
  const { code } = parseAnswer(entryLine, line, client.url)
  if (code === undefined) {
    await print(line)
    return 0
  }
  if (code !== 'key_not_found') throw new NoAnswer(`Asking for the key: ${code}`, answer.status, code)
  process.stderr.write('latchkey: Key not found\n')
  return 1
}
