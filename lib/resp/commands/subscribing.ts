/** SUBSCRIBE and the like: keyspace notifications, which say that a key was set or deleted. */
import { textOf } from '../arguments.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../error-reply.ts'
import { keyspace } from '../push/channel-pattern.ts'
import { bytesOf } from '../push/encoded.ts'
import {
  clientSubscriptionBytesMax,
  clientSubscriptionsMax,
  subscriptionBytesMax,
  subscriptionsMax,
} from '../push/push-limits.ts'

type Key = Uint8Array | undefined

/** Other channels than those of keyspace notifications are accepted, as with Redis. They have no messages. */
export function subscribe(client: Client): void | Promise<void> {
  const names = textsOf(client)
  checkRoom(client, names, client.pushes.channels)
  const keys = names.map((name) => keyOf(client, name))
  if (!keys.some((key) => key instanceof Promise)) return subscribeAll(client, names, keys as Key[])
  return Promise.all(keys).then((known) => subscribeAll(client, names, known))
}

export function psubscribe(client: Client): void | Promise<void> {
  const texts = textsOf(client)
  checkRoom(client, texts, client.pushes.patterns)
  return client.pushes.whenWatched(() => subscribePatterns(client, texts))
}

/** Without arguments: from all channels. */
export function unsubscribe(client: Client): void {
  const { pushes } = client
  const names = client.args.count === 1 ? [...pushes.channels] : textsOf(client)
  if (names.length === 0) replyChange(client, 'unsubscribe', undefined)
  for (const name of names) {
    pushes.unsubscribe(name)
    replyChange(client, 'unsubscribe', name)
  }
}

export function punsubscribe(client: Client): void {
  const { pushes } = client
  const texts = client.args.count === 1 ? [...pushes.patterns] : textsOf(client)
  if (texts.length === 0) replyChange(client, 'punsubscribe', undefined)
  for (const text of texts) {
    pushes.unsubscribePattern(text)
    replyChange(client, 'punsubscribe', text)
  }
}

function subscribeAll(client: Client, names: readonly string[], keys: readonly Key[]): void | Promise<void> {
  return client.pushes.whenWatched(() => {
    for (const [index, name] of names.entries()) {
      client.pushes.subscribe(name, keys[index])
      replyChange(client, 'subscribe', name)
    }
  })
}

/** All or none: an error is the only reply. */
function subscribePatterns(client: Client, texts: readonly string[]): void {
  const { pushes } = client
  const before = new Set(pushes.patterns)
  const counts: number[] = []
  try {
    for (const text of texts) {
      pushes.subscribePattern(text)
      counts.push(pushes.subscriptions)
    }
  } catch (error) {
    for (const text of texts) if (!before.has(text)) pushes.unsubscribePattern(text)
    throw error
  }
  for (const [index, text] of texts.entries()) replyChange(client, 'psubscribe', text, counts[index])
}

function replyChange(
  { replies, pushes }: Client,
  kind: string,
  name: string | undefined,
  count = pushes.subscriptions,
): void {
  replies.push(3)
  replies.text(kind)
  if (name === undefined) replies.nil()
  else replies.bulk(bytesOf(name))
  replies.integer(count)
}

/** Returns the key of a channel as it is stored; undefined if the channel is not of one key. */
function keyOf({ context: { store } }: Client, name: string): Key | Promise<Key> {
  return name.startsWith(keyspace) ? store.presentation.keyOf(bytesOf(name.slice(keyspace.length))) : undefined
}

function textsOf(client: Client): string[] {
  return Array.from({ length: client.args.count - 1 }, (_, index) => textOf(client, index + 1))
}

function checkRoom({ context, pushes }: Client, texts: readonly string[], known: ReadonlySet<string>): void {
  const names = new Set(texts.filter((text) => !known.has(text)))
  const own = pushes.subscriptions + names.size
  const all = context.stats.subscriptions + names.size
  if (own > clientSubscriptionsMax) throw tooMany(`${own} subscriptions`, 'a client', clientSubscriptionsMax)
  if (all > subscriptionsMax) throw tooMany(`${all} subscriptions`, 'an instance', subscriptionsMax)
  const added = [...names].reduce((sum, name) => sum + name.length, 0)
  const bytes = pushes.subscriptionBytes + added
  const allBytes = pushes.allSubscriptionBytes + added
  const bytesMax = clientSubscriptionBytesMax
  if (bytes > bytesMax) throw tooMany(`${bytes} bytes of names`, 'a client', bytesMax)
  if (allBytes > subscriptionBytesMax) throw tooMany(`${allBytes} bytes of names`, 'a thread', subscriptionBytesMax)
}

function tooMany(found: string, of: string, max: number): CommandError {
  return new CommandError(
    `ERR subscribing: there would be ${found}, and ${of} may have ${max}; use a pattern, or fewer channels`,
  )
}
