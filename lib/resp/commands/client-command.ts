/** CLIENT: what a client says about itself, and may ask. */
import { textOf, unknownSubcommand, wordOf, wrongCount } from '../arguments.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../error-reply.ts'
import { caching, redirection, redirectOf, tracking, trackingInfo } from './tracking.ts'

/** Bounds what a connection keeps. */
const nameLengthMax = 256

interface Subcommand {
  /** Number of arguments, with `client` and the name; negative: at least as many. */
  readonly count: number
  run(client: Client): void | Promise<void>
}

const subcommands: Readonly<Record<string, Subcommand>> = {
  id: { count: 2, run: ({ replies, id }) => replies.integer(id) },
  getname: {
    count: 2,
    run: ({ replies, name }) => (name === '' ? replies.nil() : replies.text(name)),
  },
  setname: { count: 3, run: setName },
  setinfo: { count: 4, run: setInfo },
  info: { count: 2, run: (client) => client.replies.verbatim(`${clientLine(client)}\n`) },
  'no-evict': { count: 3, run: switchNothing },
  'no-touch': { count: 3, run: switchNothing },
  reply: { count: 3, run: setReply },
  tracking: { count: -3, run: tracking },
  caching: { count: 3, run: caching },
  trackinginfo: { count: 2, run: trackingInfo },
  getredir: { count: 2, run: redirection },
}

export function clientCommand(client: Client): void | Promise<void> {
  const word = wordOf(client, 1)
  const subcommand = Object.hasOwn(subcommands, word) ? subcommands[word] : undefined
  if (subcommand === undefined) throw unknownSubcommand(client, 'CLIENT', Object.keys(subcommands))
  const { count } = client.args
  const isComplete = subcommand.count < 0 ? count >= -subcommand.count : count === subcommand.count
  if (!isComplete) throw wrongCount(`client|${word}`)
  return subcommand.run(client)
}

/** @throws CommandError */
export function checkName(name: string, what = 'Client names'): void {
  if (!/^[!-~]*$/.test(name)) {
    throw new CommandError(`ERR ${what} cannot contain spaces, newlines or special characters.`)
  }
  if (name.length > nameLengthMax) {
    throw new CommandError(`ERR ${what} cannot be longer than ${nameLengthMax} characters.`)
  }
}

function setName(client: Client): void {
  const name = textOf(client, 2)
  checkName(name)
  client.setName(name)
  client.replies.simple('OK')
}

function setInfo(client: Client): void {
  const attribute = wordOf(client, 2)
  const value = textOf(client, 3)
  if (attribute !== 'lib-name' && attribute !== 'lib-ver') {
    throw new CommandError(`ERR Unrecognized option '${textOf(client, 2).slice(0, 128)}'`)
  }
  checkName(value, attribute)
  client.setLibrary(attribute === 'lib-name' ? { name: value } : { version: value })
  client.replies.simple('OK')
}

/** NO-EVICT and NO-TOUCH change nothing here: no client and no key is evicted. */
function switchNothing(client: Client): void {
  if (!['on', 'off'].includes(wordOf(client, 2))) throw new CommandError('ERR syntax error')
  client.replies.simple('OK')
}

/** Every command is answered. */
function setReply(client: Client): void {
  if (wordOf(client, 2) !== 'on') throw new CommandError('ERR CLIENT REPLY: only ON is possible here')
  client.replies.simple('OK')
}

function clientLine(client: Client): string {
  const { id, ends, name, libraryName, libraryVersion, replies, args, openedAt, pushes } = client
  const age = Math.floor((performance.now() - openedAt) / 1_000)
  const fields = {
    id,
    addr: ends.client,
    laddr: ends.server,
    name,
    age,
    idle: 0,
    flags: flagsOf(client),
    db: 0,
    sub: pushes.channels.size,
    psub: pushes.patterns.size,
    ssub: 0,
    multi: -1,
    qbuf: args.pending,
    'tot-mem': args.memory,
    events: 'r',
    cmd: 'client|info',
    user: 'default',
    redir: redirectOf(pushes.tracking),
    resp: replies.isResp3 ? 3 : 2,
    'lib-name': libraryName,
    'lib-ver': libraryVersion,
  }
  return Object.entries(fields)
    .map(([field, value]) => `${field}=${value}`)
    .join(' ')
}

/** A subscriber, a client that tracks, or one that does so in broadcast mode. */
function flagsOf({ isSubscriber, pushes: { tracking: current } }: Client): string {
  const flags = `${isSubscriber ? 'P' : ''}${current ? 't' : ''}${current?.mode.isBroadcast ? 'B' : ''}`
  return flags === '' ? 'N' : flags
}
