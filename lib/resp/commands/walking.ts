/** SCAN, KEYS and DBSIZE: commands that concern all keys. */
import type { WalkChunk, WalkPosition } from '../../store-protocol/reads.ts'
import { integerOf, syntaxError, textOf, wordOf } from '../arguments.ts'
import { CommandError } from '../error-reply.ts'
import { Glob } from '../glob.ts'
import { keysReplyBytesMax, keysReplyMax, scanCountMax, walksMax } from '../limits.ts'
import { nextTurn } from '../next-turn.ts'
import type { Session } from '../session.ts'
import type { RespStore } from '../store-view.ts'

const hashes = 2 ** 32
const scanCountDefault = 10

interface ScanOptions {
  glob: Glob | undefined
  count: number
  /** Strings are the only type. */
  hasStrings: boolean
}

/** The cursor is partition × 2^32 + hash. It stays good over a restart, which may return keys again or leave out some. */
export function scan(session: Session): void | Promise<void> {
  const cursor = cursorOf(session)
  const { glob, count, hasStrings } = scanOptionsOf(session)
  const { store } = session.context
  const position = hasStrings
    ? heldAt(store, { partition: Math.floor(cursor / hashes), hash: cursor % hashes })
    : undefined
  if (position === undefined) return replyScan(session, 0, [])
  const chunk = store.readChunk(position, boundsOf(store, glob, count))
  const reply = (read: WalkChunk): void | Promise<void> => {
    const next = read.next ?? heldAt(store, { partition: position.partition + 1, hash: 0 })
    const nextCursor = next === undefined ? 0 : next.partition * hashes + next.hash
    const found = keysOf(store, read, glob)
    if (found instanceof Promise) return found.then((shown) => replyScan(session, nextCursor, shown))
    return replyScan(session, nextCursor, found)
  }
  return chunk instanceof Promise ? chunk.then(reply) : reply(chunk)
}

/** Walks in chunks, between which other clients are answered. Too many keys are an error, not an incomplete reply. */
export async function keys(session: Session): Promise<void> {
  const { context } = session
  const glob = globOf(session, 1)
  if (context.walks >= walksMax) {
    throw new CommandError(`ERR KEYS: ${context.walks} others are in progress; use SCAN, or try again later`)
  }
  context.walks++
  try {
    const found = await allKeys(session, glob)
    session.replies.array(found.length)
    for (const key of found) session.replies.bulk(key)
  } finally {
    context.walks--
  }
}

export function dbsize(session: Session): void | Promise<void> {
  const counted = session.context.store.count()
  if (counted instanceof Promise) return counted.then(({ count }) => session.replies.integer(count))
  return session.replies.integer(counted.count)
}

async function allKeys(session: Session, glob: Glob): Promise<Uint8Array[]> {
  const { store } = session.context
  const found: Uint8Array[] = []
  let bytes = 0
  let position = heldAt(store, { partition: 0, hash: 0 })
  while (position !== undefined && !session.isOver) {
    const chunk: WalkChunk = await store.readChunk(position, boundsOf(store, glob, keysReplyMax))
    for (const key of await keysOf(store, chunk, glob)) {
      found.push(key)
      bytes += key.length
    }
    if (found.length > keysReplyMax || bytes > keysReplyBytesMax) {
      const bounds = `${keysReplyMax} keys or ${keysReplyBytesMax} bytes of them`
      throw new CommandError(`ERR KEYS: more than ${bounds} match; use SCAN, or a narrower pattern`)
    }
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

function replyScan(session: Session, cursor: number, found: readonly Uint8Array[]): void {
  session.replies.array(2)
  session.replies.text(String(cursor))
  session.replies.array(found.length)
  for (const key of found) session.replies.bulk(key)
}

function cursorOf(session: Session): number {
  const text = textOf(session, 1)
  const cursor = Number(text)
  if (!/^\d{1,20}$/.test(text)) throw new CommandError('ERR invalid cursor')
  return cursor
}

function scanOptionsOf(session: Session): ScanOptions {
  const options: ScanOptions = { glob: undefined, count: scanCountDefault, hasStrings: true }
  for (let index = 2; index < session.args.count; index += 2) {
    const word = wordOf(session, index)
    if (index + 1 >= session.args.count) throw syntaxError()
    if (word === 'match') options.glob = globOf(session, index + 1)
    else if (word === 'count') options.count = countOf(session, index + 1)
    else if (word === 'type') options.hasStrings = wordOf(session, index + 1) === 'string'
    else throw syntaxError()
  }
  return options
}

function countOf(session: Session, index: number): number {
  const count = integerOf(session, index)
  if (count < 1) throw syntaxError()
  return Math.min(count, scanCountMax)
}

function globOf(session: Session, index: number): Glob {
  return new Glob(session.args.argument(index))
}
