/** GET and the other commands that look keys up. */
import { LatchkeyError } from '../../errors.ts'
import { outcomeOf } from '../../metrics/index.ts'
import type { ManyLookups } from '../../store-protocol/reads.ts'
import type { Lookup } from '../../store-protocol/status.ts'
import { integerOf } from '../arguments.ts'
import { CommandError } from '../error-reply.ts'
import { keysMax, manyBytesMax } from '../limits.ts'
import type { Session } from '../session.ts'

/** Freeing smaller values is not worth its time. */
const releasedBytesMin = 16_384

type Shown = Uint8Array | string

const nothing = new Uint8Array(0)

/** The hot path: no promise and no closure while a reader is free. */
export function get(session: Session): void | Promise<void> {
  const found = lookUp(session)
  if (found instanceof Promise) return found.then((lookup) => replyValue(session, lookup))
  return replyValue(session, found)
}

export function strlen(session: Session): void | Promise<void> {
  return withValue(session, (value) => {
    session.replies.integer(typeof value === 'string' ? Buffer.byteLength(value) : (value?.length ?? 0))
  })
}

export function getrange(session: Session): void | Promise<void> {
  const first = integerOf(session, 2)
  const last = integerOf(session, 3)
  return withValue(session, (value = nothing) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    const from = Math.max(0, first < 0 ? bytes.length + first : first)
    const to = Math.max(0, last < 0 ? bytes.length + last : last) + 1
    const isEmpty = first < 0 && last < 0 && first > last
    session.replies.bulk(isEmpty ? nothing : bytes.slice(from, to))
  })
}

export function type(session: Session): void | Promise<void> {
  return withExistence(session, (isThere) => session.replies.simple(isThere ? 'string' : 'none'))
}

/** TTL and PTTL: no key expires. */
export function ttl(session: Session): void | Promise<void> {
  return withExistence(session, (isThere) => session.replies.integer(isThere ? -1 : -2))
}

export function mget(session: Session): void | Promise<void> {
  const many = lookUpMany(session, manyBytesMax)
  return many instanceof Promise ? many.then((found) => replyMany(session, found)) : replyMany(session, many)
}

/** Keys that are named twice count twice, as in Redis. */
export function exists(session: Session): void | Promise<void> {
  const reply = ({ results }: ManyLookups) => {
    for (const result of results) if (result instanceof LatchkeyError && result.code !== 'answer_full') throw result
    session.replies.integer(results.filter((result) => result !== undefined).length)
  }
  const many = lookUpMany(session, 0)
  return many instanceof Promise ? many.then(reply) : reply(many)
}

/** Looks up the key in the first argument. */
function lookUp(session: Session): Lookup | undefined | Promise<Lookup | undefined> {
  const { store, stats } = session.context
  try {
    const key = store.presentation.keyOf(session.args.argument(1))
    const found = key instanceof Promise ? key.then((bytes) => store.get(bytes)) : store.get(key)
    if (found instanceof Promise) return countLater(session, found)
    countRead(session, found)
    return found
  } catch (thrown) {
    stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

async function countLater(session: Session, coming: Promise<Lookup | undefined>): Promise<Lookup | undefined> {
  try {
    const found = await coming
    countRead(session, found)
    return found
  } catch (thrown) {
    session.context.stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

function countRead(session: Session, found: Lookup | undefined): void {
  session.context.stats.lookup(found === undefined ? 'not_found' : 'found')
  if (found !== undefined) session.hasRead(found.value.length)
}

function replyValue(session: Session, lookup: Lookup | undefined): void | Promise<void> {
  const { replies } = session
  if (lookup === undefined) return replies.nil()
  const value = session.context.store.presentation.render(lookup, 'text')
  if (value instanceof Promise) return value.then((shown) => replyShown(session, shown))
  return replyShown(session, value)
}

function replyShown({ replies }: Session, value: Shown | undefined): void {
  if (value === undefined) replies.nil()
  else if (typeof value === 'string') replies.text(value)
  else replies.bulk(value)
}

function withExistence(session: Session, reply: (isThere: boolean) => void): void | Promise<void> {
  const replyThen = (lookup: Lookup | undefined) => {
    release(lookup)
    reply(lookup !== undefined)
  }
  const found = lookUp(session)
  return found instanceof Promise ? found.then(replyThen) : replyThen(found)
}

/** @param reply gets undefined if there is no such key */
function withValue(session: Session, reply: (value: Shown | undefined) => void): void | Promise<void> {
  const { presentation } = session.context.store
  const show = (lookup: Lookup | undefined): void | Promise<void> => {
    const replyThen = (value: Shown | undefined) => {
      reply(value)
      release(lookup)
    }
    const value = lookup && presentation.render(lookup, 'text')
    return value instanceof Promise ? value.then(replyThen) : replyThen(value)
  }
  const found = lookUp(session)
  return found instanceof Promise ? found.then(show) : show(found)
}

/**
 * Frees the memory of a value that is not in the reply. A client may send thousands of such commands at once, which
 * would otherwise leave the memory of as many values to the garbage collector.
 */
function release(lookup: Lookup | undefined): void {
  if (lookup === undefined || lookup.value.length < releasedBytesMin) return
  const { buffer } = lookup.value
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** Looks up the keys in all arguments. */
function lookUpMany(session: Session, bytesMax: number): ManyLookups | Promise<ManyLookups> {
  const { context, args } = session
  const { store, stats } = context
  const count = args.count - 1
  if (count > keysMax) {
    throw new CommandError(`ERR reading ${count} keys: a command may have ${keysMax}; send several commands`)
  }
  try {
    const keys: (Uint8Array | Promise<Uint8Array>)[] = []
    for (let index = 1; index <= count; index++) keys.push(store.presentation.keyOf(args.argument(index)))
    const many = keys.some((key) => key instanceof Promise)
      ? Promise.all(keys).then((bytes) => store.getMany(bytes, bytesMax))
      : store.getMany(keys as Uint8Array[], bytesMax)
    if (many instanceof Promise) return countManyLater(session, many)
    countMany(session, many)
    return many
  } catch (thrown) {
    stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

async function countManyLater(session: Session, coming: Promise<ManyLookups>): Promise<ManyLookups> {
  try {
    const many = await coming
    countMany(session, many)
    return many
  } catch (thrown) {
    session.context.stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

function countMany({ context: { stats } }: Session, { results }: ManyLookups): void {
  for (const result of results) {
    if (result === undefined) stats.lookup('not_found')
    else if (!(result instanceof LatchkeyError)) stats.lookup('found')
    else stats.lookup(result.code === 'answer_full' ? 'found' : outcomeOf(result))
  }
}

/** Replies hold no errors within an array, because clients do not expect them there: one error refuses all. */
function replyMany(session: Session, { results }: ManyLookups): void | Promise<void> {
  for (const result of results) {
    if (result instanceof LatchkeyError) throw result.code === 'answer_full' ? tooMuch() : result
  }
  const found = results as readonly (Lookup | undefined)[]
  const { presentation } = session.context.store
  if (!presentation.hasRawValues) return showMany(session, found)
  session.replies.array(found.length)
  for (const lookup of found) {
    if (lookup === undefined) session.replies.nil()
    else session.replies.bulk(lookup.value)
  }
}

/** Renders values one by one, and stops at the bound: they may be longer than what is stored. */
async function showMany(session: Session, found: readonly (Lookup | undefined)[]): Promise<void> {
  const { presentation } = session.context.store
  const values: (Shown | undefined)[] = []
  let bytes = 0
  for (const lookup of found) {
    const rendered = lookup && presentation.render(lookup, 'text')
    const value = rendered instanceof Promise ? await rendered : rendered
    bytes += value?.length ?? 0
    if (bytes > manyBytesMax && values.length > 0) throw tooMuch()
    values.push(value)
  }
  session.replies.array(values.length)
  for (const value of values) replyShown(session, value)
}

function tooMuch(): CommandError {
  return new CommandError(
    `ERR reading many keys: their values have more than ${manyBytesMax} bytes; ask for fewer keys`,
  )
}
