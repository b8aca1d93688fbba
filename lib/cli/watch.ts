/** `latchkey watch`: prints changes as they become visible, over lost connections and restarts of the store. */
import { escapeControls } from '../log/escape.ts'
import { type FeedLine, feedLine, parseAnswer } from './answers.ts'
import type { Arguments } from './arguments.ts'
import { wholeLines } from './lines.ts'
import { NoAnswer } from './no-answer.ts'
import { print } from './output.ts'
import type { StoreClient } from './store-client.ts'

/** A stream that says nothing for so long is lost: the store sends something every five seconds. */
const silenceMaxMs = 20_000
const retryMs = 1_000
/** A store that restarts answers so until it has recovered. */
const unavailable = 503

/** Ends by a signal, or when no answer can be expected. */
export async function watch(client: StoreClient, { words, prefix, fromStart, json }: Arguments): Promise<never> {
  const query = new URLSearchParams(words.map((key): [string, string] => ['keys', key]))
  if (prefix !== undefined) query.set('prefix', prefix)
  query.set('from', fromStart ? 'start' : 'now')
  let hasStarted = false
  let isLost = false
  for (;;) {
    try {
      for await (const text of feedLines(client, query)) {
        const line = parseAnswer(feedLine, text, client.url)
        hasStarted = true
        if (isLost) process.stderr.write('latchkey: connected again\n')
        isLost = false
        if (line.id !== undefined) {
          query.delete('from')
          query.set('after', line.id)
        }
        if (line.type !== 'place') await print(json ? `${text}\n` : `${shown(line)}\n`)
      }
    } catch (thrown) {
      const isFinal = thrown instanceof NoAnswer && thrown.status !== 0 && thrown.status !== unavailable
      if (!hasStarted || isFinal || !(thrown instanceof NoAnswer)) throw thrown
    }
    if (!isLost) process.stderr.write(`latchkey: the connection to ${client.url} has ended; trying again\n`)
    isLost = true
    await Bun.sleep(retryMs)
  }
}

async function* feedLines(client: StoreClient, query: URLSearchParams): AsyncGenerator<string> {
  const stop = new AbortController()
  const answer = await client.get('/changes', query, 'application/x-ndjson', stop)
  const timer = setTimeout(() => stop.abort(), silenceMaxMs)
  try {
    for await (const lines of wholeLines(answer.body!)) {
      timer.refresh()
      for (const line of Buffer.from(lines).toString().split('\n')) if (line !== '') yield line
    }
  } catch (thrown) {
    throw new NoAnswer(`Following ${client.url}: ${(thrown as Error).message}`)
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

function shown({ type, key, value, valueBase64, partition, state }: FeedLine): string {
  if (type === 'reset') return 'reset   all entries follow'
  if (type === 'status') return `status  partition ${partition} is ${escapeControls(state ?? 'unknown')}`
  const name = escapeControls(typeof key === 'string' ? key : jsonOf(key))
  if (type === 'delete') return `delete  ${name}`
  return `put     ${name}  ${escapeControls(valueBase64 === undefined ? jsonOf(value) : textOf(valueBase64))}`
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value ?? null)
}

/** Returns text that is not JSON as it is, and other bytes as base64. */
function textOf(base64: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'))
  } catch {
    return base64
  }
}
