/** SCAN, KEYS and DBSIZE: commands that concern all keys. */
import type { WalkChunk, WalkPosition } from '../../store-protocol/reads.ts'
import { integerOf, syntaxError, textOf, wordOf } from '../arguments.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../error-reply.ts'
import { Glob } from '../glob.ts'
import { keysReplyBytesMax, keysReplyMax, scanCountMax, walksMax } from '../limits.ts'
import { nextTurn } from '../next-turn.ts'
import { scanCursor, scanPosition } from '../scan-cursor.ts'
import type { RespStore } from '../store-view.ts'

const scanCountDefault = 10

interface ScanOptions {
  glob: Glob | undefined
  count: number
  /** Strings are the only type. */
  hasStrings: boolean
}

export function scan(client: Client): void | Promise<void> {
  const cursor = cursorOf(client)
  const { glob, count, hasStrings } = scanOptionsOf(client)
  const { store } = client.context
  const position = hasStrings ? heldAt(store, scanPosition(store, cursor)) : undefined
  if (position === undefined) return replyScan(client, 0, [])
  const chunk = store.readChunk(position, boundsOf(store, glob, count))
  const reply = (read: WalkChunk): void | Promise<void> => {
    const next = read.next ?? heldAt(store, { partition: position.partition + 1, hash: 0 })
    const nextCursor = next === undefined ? 0 : scanCursor(store, next)
    const found = keysOf(store, read, glob)
    if (found instanceof Promise) return found.then((shown) => replyScan(client, nextCursor, shown))
    return replyScan(client, nextCursor, found)
  }
  return chunk instanceof Promise ? chunk.then(reply) : reply(chunk)
}

/** Walks in chunks, between which other clients are answered. Too many keys are an error, not an incomplete reply. */
export async function keys(client: Client): Promise<void> {
  const { context } = client
  const glob = globOf(client, 1)
  if (context.walks >= walksMax) {
    throw new CommandError(`ERR KEYS: ${context.walks} others are in progress; use SCAN, or try again later`)
  }
  context.beginWalk()
  try {
    const found = await allKeys(client, glob)
    client.replies.array(found.length)
    for (const key of found) client.replies.bulk(key)
  } finally {
    context.endWalk()
  }
}

export function dbsize(client: Client): void | Promise<void> {
  const counted = client.context.store.count()
  if (counted instanceof Promise) return counted.then(({ count }) => client.replies.integer(count))
  return client.replies.integer(counted.count)
}

async function allKeys(client: Client, glob: Glob): Promise<Uint8Array[]> {
  const { store } = client.context
  const found: Uint8Array[] = []
  let bytes = 0
  /** Where the keys of the present partition begin. */
  let partitionAt = 0
  let position = heldAt(store, { partition: 0, hash: 0 })
  while (position !== undefined && !client.isOver) {
    const chunk: WalkChunk = await store.readChunk(position, boundsOf(store, glob, keysReplyMax))
    if (chunk.isRestart) bytes -= found.splice(partitionAt).reduce((sum, { length }) => sum + length, 0)
    for (const key of await keysOf(store, chunk, glob)) {
      found.push(key)
      bytes += key.length
    }
    if (found.length > keysReplyMax || bytes > keysReplyBytesMax) {
      const bounds = `${keysReplyMax} keys or ${keysReplyBytesMax} bytes of them`
      throw new CommandError(`ERR KEYS: more than ${bounds} match; use SCAN, or a narrower pattern`)
    }
    if (chunk.next === undefined) partitionAt = found.length
    position = chunk.next ?? heldAt(store, { partition: position.partition + 1, hash: 0 })
    await nextTurn()
    glob.renew()
  }
  return found
}

/** Returns the position, or the beginning of the next partition that is held; undefined after the last one. */
function heldAt({ heldPartitions }: RespStore, position: WalkPosition): WalkPosition | undefined {
  const partition = heldPartitions.find((held) => held >= position.partition)
  if (partition === undefined) return undefined
  return partition === position.partition ? position : { partition, hash: 0 }
}

/** The bytes before the first special character of a pattern narrow the walk, where patterns are of stored bytes. */
function boundsOf({ presentation }: RespStore, glob: Glob | undefined, limit: number) {
  const prefix = presentation.formats.key === 'raw' ? glob?.prefix : undefined
  return { limit, withValues: false, ...(prefix !== undefined && prefix.length > 0 && { prefix }) }
}

/** Returns the keys of a chunk as clients write them, of which the pattern matches. */
function keysOf(
  { presentation }: RespStore,
  { entries }: WalkChunk,
  glob: Glob | undefined,
): Uint8Array[] | Promise<Uint8Array[]> {
  const shown = entries.map(({ key }) => {
    try {
      const text = presentation.keyText(key)
      return text instanceof Promise ? text.catch(() => key) : text
    } catch {
      // No key of this format: its bytes are shown, so that it is seen.
      return key
    }
  })
  if (shown.some((key) => key instanceof Promise)) return Promise.all(shown).then((texts) => matching(texts, glob))
  return matching(shown as Uint8Array[], glob)
}

function matching(texts: readonly Uint8Array[], glob: Glob | undefined): Uint8Array[] {
  return texts.filter((text) => glob === undefined || glob.isEverything || glob.matches(text))
}

function replyScan(client: Client, cursor: number, found: readonly Uint8Array[]): void {
  client.replies.array(2)
  client.replies.text(String(cursor))
  client.replies.array(found.length)
  for (const key of found) client.replies.bulk(key)
}

function cursorOf(client: Client): number {
  const text = textOf(client, 1)
  const cursor = Number(text)
  if (!/^\d{1,20}$/.test(text)) throw new CommandError('ERR invalid cursor')
  return cursor
}

function scanOptionsOf(client: Client): ScanOptions {
  const options: ScanOptions = { glob: undefined, count: scanCountDefault, hasStrings: true }
  for (let index = 2; index < client.args.count; index += 2) {
    const word = wordOf(client, index)
    if (index + 1 >= client.args.count) throw syntaxError()
    if (word === 'match') options.glob = globOf(client, index + 1)
    else if (word === 'count') options.count = countOf(client, index + 1)
    else if (word === 'type') options.hasStrings = wordOf(client, index + 1) === 'string'
    else throw syntaxError()
  }
  return options
}

function countOf(client: Client, index: number): number {
  const count = integerOf(client, index)
  if (count < 1) throw syntaxError()
  return Math.min(count, scanCountMax)
}

function globOf(client: Client, index: number): Glob {
  return new Glob(client.args.argument(index))
}
