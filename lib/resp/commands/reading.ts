/** GET and the other commands that look keys up. */
import { LatchkeyError } from '../../errors.ts'
import { outcomeOf } from '../../metrics/index.ts'
import { isKeyNotFound, type ManyLookups, withoutNotFound } from '../../store-protocol/reads.ts'
import type { Lookup } from '../../store-protocol/status.ts'
import { integerOf } from '../arguments.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../error-reply.ts'
import { keysMax, manyBytesMax } from '../limits.ts'
import { remember } from './remembering.ts'

/** Freeing smaller values is not worth its time. */
const releasedBytesMin = 16_384

type Shown = Uint8Array | string
type KeyResults = ManyLookups['results']

const nothing = new Uint8Array(0)

/** The hot path: no promise and no closure while a reader is free. */
export function get(client: Client): void | Promise<void> {
  const found = lookUp(client)
  if (found instanceof Promise) return found.then((lookup) => replyValue(client, lookup))
  return replyValue(client, found)
}

export function strlen(client: Client): void | Promise<void> {
  return withValue(client, (value) => {
    client.replies.integer(typeof value === 'string' ? Buffer.byteLength(value) : (value?.length ?? 0))
  })
}

export function getrange(client: Client): void | Promise<void> {
  const first = integerOf(client, 2)
  const last = integerOf(client, 3)
  return withValue(client, (value = nothing) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    const from = Math.max(0, first < 0 ? bytes.length + first : first)
    const to = Math.max(0, last < 0 ? bytes.length + last : last) + 1
    const isEmpty = first < 0 && last < 0 && first > last
    client.replies.bulk(isEmpty ? nothing : bytes.slice(from, to))
  })
}

export function type(client: Client): void | Promise<void> {
  return withExistence(client, (isThere) => client.replies.simple(isThere ? 'string' : 'none'))
}

/** TTL and PTTL: no key expires. */
export function ttl(client: Client): void | Promise<void> {
  return withExistence(client, (isThere) => client.replies.integer(isThere ? -1 : -2))
}

export function mget(client: Client): void | Promise<void> {
  const many = lookUpMany(client, manyBytesMax)
  return many instanceof Promise ? many.then((found) => replyMany(client, found)) : replyMany(client, many)
}

/** Keys that are named twice count twice, as in Redis. */
export function exists(client: Client): void | Promise<void> {
  const reply = (results: KeyResults) => {
    for (const result of results) if (result instanceof LatchkeyError && result.code !== 'answer_full') throw result
    client.replies.integer(results.filter((result) => result !== undefined).length)
  }
  const many = lookUpMany(client, 0)
  return many instanceof Promise ? many.then(reply) : reply(many)
}

/** Looks up the key in the first argument. */
function lookUp(client: Client): Lookup | undefined | Promise<Lookup | undefined> {
  const { store, stats } = client.context
  try {
    const text = client.args.argument(1)
    const key = store.presentation.keyOf(text)
    const found = key instanceof Promise ? key.then((bytes) => read(client, bytes, text)) : read(client, key, text)
    if (found instanceof Promise) return countLater(client, found)
    countRead(client, found)
    return found
  } catch (thrown) {
    if (isKeyNotFound(thrown)) return countRead(client, undefined)
    stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

/** @param text the key as the client has written it */
function read(client: Client, key: Uint8Array, text: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
  if (client.pushes.tracking !== undefined) remember(client, key, text)
  return client.context.store.get(key)
}

async function countLater(client: Client, coming: Promise<Lookup | undefined>): Promise<Lookup | undefined> {
  try {
    const found = await coming
    countRead(client, found)
    return found
  } catch (thrown) {
    if (isKeyNotFound(thrown)) return countRead(client, undefined)
    client.context.stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

function countRead(client: Client, found: Lookup | undefined): undefined {
  client.context.stats.lookup(found === undefined ? 'not_found' : 'found')
  if (found !== undefined) client.hasRead(found.value.length)
}

function replyValue(client: Client, lookup: Lookup | undefined): void | Promise<void> {
  const { replies } = client
  if (lookup === undefined) return replies.nil()
  const value = client.context.store.presentation.render(lookup, 'text')
  if (value instanceof Promise) return value.then((shown) => replyShown(client, shown))
  return replyShown(client, value)
}

function replyShown({ replies }: Client, value: Shown | undefined): void {
  if (value === undefined) replies.nil()
  else if (typeof value === 'string') replies.text(value)
  else replies.bulk(value)
}

function withExistence(client: Client, reply: (isThere: boolean) => void): void | Promise<void> {
  const replyThen = (lookup: Lookup | undefined) => {
    release(lookup)
    reply(lookup !== undefined)
  }
  const found = lookUp(client)
  return found instanceof Promise ? found.then(replyThen) : replyThen(found)
}

/** @param reply gets undefined if there is no such key */
function withValue(client: Client, reply: (value: Shown | undefined) => void): void | Promise<void> {
  const { presentation } = client.context.store
  const show = (lookup: Lookup | undefined): void | Promise<void> => {
    const replyThen = (value: Shown | undefined) => {
      reply(value)
      release(lookup)
    }
    const value = lookup && presentation.render(lookup, 'text')
    return value instanceof Promise ? value.then(replyThen) : replyThen(value)
  }
  const found = lookUp(client)
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
function lookUpMany(client: Client, bytesMax: number): KeyResults | Promise<KeyResults> {
  const { context, args } = client
  const { store, stats } = context
  const count = args.count - 1
  if (count > keysMax) {
    throw new CommandError(`ERR reading ${count} keys: a command may have ${keysMax}; send several commands`)
  }
  try {
    const texts = Array.from({ length: count }, (_, index) => args.argument(index + 1))
    const keys = texts.map((text) => store.presentation.keyOf(text))
    const readAll = (known: readonly Uint8Array[]) => {
      if (client.pushes.tracking !== undefined) {
        for (const [index, key] of known.entries()) remember(client, key, texts[index]!)
      }
      return store.getMany(known, bytesMax)
    }
    const many = keys.some((key) => key instanceof Promise)
      ? Promise.all(keys).then(readAll)
      : readAll(keys as Uint8Array[])
    return many instanceof Promise ? countManyLater(client, many) : countMany(client, many)
  } catch (thrown) {
    stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

async function countManyLater(client: Client, coming: Promise<ManyLookups>): Promise<KeyResults> {
  try {
    return countMany(client, await coming)
  } catch (thrown) {
    client.context.stats.lookup(outcomeOf(thrown))
    throw thrown
  }
}

function countMany({ context: { stats } }: Client, many: ManyLookups): KeyResults {
  const results = withoutNotFound(many)
  for (const result of results) {
    if (result === undefined) stats.lookup('not_found')
    else if (!(result instanceof LatchkeyError)) stats.lookup('found')
    else stats.lookup(result.code === 'answer_full' ? 'found' : outcomeOf(result))
  }
  return results
}

/** Replies hold no errors within an array, because clients do not expect them there: one error refuses all. */
function replyMany(client: Client, results: KeyResults): void | Promise<void> {
  for (const result of results) {
    if (result instanceof LatchkeyError) throw result.code === 'answer_full' ? tooMuch() : result
  }
  const found = results as readonly (Lookup | undefined)[]
  const { presentation } = client.context.store
  if (!presentation.hasRawValues) return showMany(client, found)
  client.replies.array(found.length)
  for (const lookup of found) {
    if (lookup === undefined) client.replies.nil()
    else client.replies.bulk(lookup.value)
  }
}

/** Renders values one by one, and stops at the bound: they may be longer than what is stored. */
async function showMany(client: Client, found: readonly (Lookup | undefined)[]): Promise<void> {
  const { presentation } = client.context.store
  const values: (Shown | undefined)[] = []
  let bytes = 0
  for (const lookup of found) {
    const rendered = lookup && presentation.render(lookup, 'text')
    const value = rendered instanceof Promise ? await rendered : rendered
    bytes += value?.length ?? 0
    if (bytes > manyBytesMax && values.length > 0) throw tooMuch()
    values.push(value)
  }
  client.replies.array(values.length)
  for (const value of values) replyShown(client, value)
}

function tooMuch(): CommandError {
  return new CommandError(
    `ERR reading many keys: their values have more than ${manyBytesMax} bytes; ask for fewer keys`,
  )
}
