/** CLIENT TRACKING and what belongs to it: near caches in clients, whose keys are invalidated when they change. */
import { integerOf, syntaxError, textOf, wordOf } from '../arguments.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../error-reply.ts'
import type { TrackingMode } from '../push/client-tracking.ts'
import { clientPrefixesMax, prefixBytesMax } from '../push/push-limits.ts'

interface TrackingOptions extends TrackingMode {
  readonly prefixes: readonly string[]
  readonly isRedirected: boolean
}

/** `CLIENT TRACKING ON|OFF [REDIRECT id] [PREFIX p …] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]` */
export function tracking(client: Client): void | Promise<void> {
  const options = optionsOf(client)
  const word = wordOf(client, 2)
  if (word === 'off') {
    client.pushes.untrack()
    return client.replies.simple('OK')
  }
  if (word !== 'on') throw syntaxError()
  check(client, options)
  return client.pushes.whenWatched(() => track(client, options))
}

/** `CLIENT CACHING YES|NO`: whether the keys of the next command are remembered. */
export function caching(client: Client): void {
  const mode = client.pushes.tracking?.mode
  if (mode === undefined) {
    throw new CommandError(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
    )
  }
  const word = wordOf(client, 2)
  if (word !== 'yes' && word !== 'no') throw syntaxError()
  if (word === 'yes' && !mode.isOptIn) {
    throw new CommandError('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.')
  }
  if (word === 'no' && !mode.isOptOut) {
    throw new CommandError('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.')
  }
  client.pushes.tracking!.choose()
  client.replies.simple('OK')
}

export function trackingInfo({ replies, pushes: { tracking: current } }: Client): void {
  replies.map(3)
  replies.text('flags')
  const flags = current === undefined ? ['off'] : ['on']
  if (current !== undefined) {
    const { isBroadcast, isOptIn, isOptOut, isNoLoop } = current.mode
    if (isBroadcast) flags.push('bcast')
    if (isOptIn) flags.push('optin', ...(current.hasChosen ? ['caching-yes'] : []))
    if (isOptOut) flags.push('optout', ...(current.hasChosen ? ['caching-no'] : []))
    if (isNoLoop) flags.push('noloop')
  }
  replies.set(flags.length)
  for (const flag of flags) replies.text(flag)
  replies.text('redirect')
  replies.integer(redirectOf(current))
  replies.text('prefixes')
  replies.array(current?.prefixes.length ?? 0)
  for (const prefix of current?.prefixes ?? []) replies.bulk(Buffer.from(prefix, 'latin1'))
}

/** Invalidations are never redirected: 0, or -1 without tracking. */
export function redirection({ replies, pushes }: Client): void {
  replies.integer(redirectOf(pushes.tracking))
}

export function redirectOf(current: object | undefined): number {
  return current === undefined ? -1 : 0
}

function track(client: Client, { prefixes, ...mode }: TrackingOptions): void {
  const isOfAll = mode.isBroadcast && prefixes.length === 0
  client.pushes.track(mode, isOfAll ? [''] : prefixes)
  client.replies.simple('OK')
}

function optionsOf(client: Client): TrackingOptions {
  const prefixes: string[] = []
  const words = new Set<string>()
  const { count } = client.args
  for (let index = 3; index < count; index++) {
    const word = wordOf(client, index)
    const hasMore = index + 1 < count
    if (word === 'redirect' && hasMore) integerOf(client, ++index)
    else if (word === 'prefix' && hasMore) prefixes.push(textOf(client, ++index))
    else if (!['bcast', 'optin', 'optout', 'noloop'].includes(word)) throw syntaxError()
    words.add(word)
  }
  return {
    prefixes,
    isRedirected: words.has('redirect'),
    isBroadcast: words.has('bcast'),
    isOptIn: words.has('optin'),
    isOptOut: words.has('optout'),
    isNoLoop: words.has('noloop'),
  }
}

/** In the order in which Redis checks. */
function check(client: Client, { prefixes, isRedirected, isBroadcast, isOptIn, isOptOut }: TrackingOptions): void {
  const { tracking: current } = client.pushes
  if (isRedirected) {
    throw new CommandError(
      'ERR CLIENT TRACKING: REDIRECT is not possible here; use RESP3, in which the connection itself gets invalidations',
    )
  }
  if (prefixes.length > 0 && !isBroadcast) {
    throw new CommandError('ERR PREFIX option requires BCAST mode to be enabled')
  }
  if (current !== undefined && current.mode.isBroadcast !== isBroadcast) throw switching('BCAST mode on/off')
  if (isBroadcast && (isOptIn || isOptOut)) {
    throw new CommandError('ERR OPTIN and OPTOUT are not compatible with BCAST')
  }
  if (isOptIn && isOptOut) throw new CommandError("ERR You can't specify both OPTIN mode and OPTOUT mode")
  if ((isOptIn && current?.mode.isOptOut) || (isOptOut && current?.mode.isOptIn)) throw switching('OPTIN/OPTOUT mode')
  checkPrefixes(current?.prefixes ?? [], prefixes)
  // Redis accepts it, and the client's near cache would never be invalidated.
  if (!client.replies.isResp3) {
    throw new CommandError('ERR CLIENT TRACKING: invalidations are pushes of RESP3; send HELLO 3 first')
  }
}

function checkPrefixes(known: readonly string[], added: readonly string[]): void {
  if (known.length + added.length > clientPrefixesMax) {
    const found = `there would be ${known.length + added.length} prefixes, and a client may have ${clientPrefixesMax}`
    throw new CommandError(`ERR CLIENT TRACKING: ${found}; use shorter prefixes`)
  }
  const longest = Math.max(0, ...added.map(({ length }) => length))
  if (longest > prefixBytesMax) {
    const found = `a prefix has ${longest} bytes, and it may have ${prefixBytesMax}`
    throw new CommandError(`ERR CLIENT TRACKING: ${found}; use a shorter one`)
  }
  for (const [index, prefix] of added.entries()) {
    const existing = known.find((one) => overlap(one, prefix))
    if (existing !== undefined) throw overlapping(prefix, `an existing prefix '${existing}'`)
    const other = added.slice(index + 1).find((one) => overlap(one, prefix))
    if (other !== undefined) throw overlapping(prefix, `another provided prefix '${other}'`)
  }
}

function overlap(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one)
}

function overlapping(prefix: string, other: string): CommandError {
  return new CommandError(
    `ERR Prefix '${prefix}' overlaps with ${other}. Prefixes for a single client must not overlap.`,
  )
}

function switching(what: string): CommandError {
  return new CommandError(
    `ERR You can't switch ${what} before disabling tracking for this client, and then re-enabling it with a different mode.`,
  )
}
