/** Finds the command that a client names, and refuses what is none. */
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { textOf, wordOf } from '../arguments.ts'
import type { Client } from '../client.ts'
import type { CommandReader } from '../command-reader.ts'
import type { RespCommand } from './command.ts'
import { commands, unknownLabel, writeLabel } from './table.ts'

export { commandLabels } from './table.ts'

const repeatedLog = new RepeatedLog(loggerOf('resp'))

const shownNameMax = 128
const shownArgumentsMax = 128

const mostAsked = commands.get('get')!
const nameLengthMax = Math.max(...[...commands.keys()].map((name) => name.length))
const latin1 = new TextDecoder('latin1')

/** Commands of Redis that write. */
const writes: ReadonlySet<string> = new Set(
  `append bitfield bitop blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin copy decr decrby del expire
  expireat flushall flushdb geoadd georadius georadiusbymember geosearchstore getdel getex getset hdel hexpire hincrby
  hincrbyfloat hmset hset hsetnx incr incrby incrbyfloat linsert lmove lmpop lpop lpush lpushx lrem lset ltrim migrate
  move mset msetnx persist pexpire pexpireat pfadd pfmerge psetex rename renamenx restore rpop rpoplpush rpush rpushx
  sadd sdiffstore set setbit setex setnx setrange sinterstore smove sort spop srem sunionstore swapdb unlink xack xadd
  xautoclaim xclaim xdel xgroup xreadgroup xsetid xtrim zadd zdiffstore zincrby zinterstore zmpop zpopmax zpopmin
  zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore`.split(/\s+/),
)

/** Commands of Redis for whose purpose there is another way, or none. */
const refusals: Readonly<Record<string, string>> = {
  ssubscribe: 'shard channels are of Redis Cluster, which this is not; use SUBSCRIBE',
  sunsubscribe: 'shard channels are of Redis Cluster, which this is not; use UNSUBSCRIBE',
  publish: 'messages come from changes of the topic alone; produce to the topic',
  spublish: 'messages come from changes of the topic alone; produce to the topic',
}

/** Lines of an HTTP request. A web page can make a browser send one to this port. */
const httpWords: ReadonlySet<string> = new Set(['post', 'host:'])

/** Returns undefined if there is no such command. */
export function commandOf(args: CommandReader): RespCommand | undefined {
  const length = args.lengthOf(0)
  const isGet =
    length === 3 &&
    (args.byteOf(0, 0) | 0x20) === 0x67 &&
    (args.byteOf(0, 1) | 0x20) === 0x65 &&
    (args.byteOf(0, 2) | 0x20) === 0x74
  if (isGet) return mostAsked
  return length > nameLengthMax ? undefined : commands.get(latin1.decode(args.argument(0)).toLowerCase())
}

export function refuseUnknown(client: Client): void {
  const { args, context, replies } = client
  const word = args.lengthOf(0) <= shownNameMax ? wordOf(client, 0) : ''
  const isWrite = writes.has(word)
  context.stats.command(isWrite ? writeLabel : unknownLabel)
  if (httpWords.has(word)) {
    const found = 'it sent a line of HTTP. The connection is closed'
    repeatedLog.log('warning', 'http', 'Reading commands of {client}: {found}', { client: client.ends.client, found })
    return client.end()
  }
  if (!client.isAuthenticated) return replies.error('NOAUTH Authentication required.')
  if (isWrite) return replies.error("READONLY You can't write against a read only replica.")
  if (Object.hasOwn(refusals, word)) return replies.error(`ERR ${word.toUpperCase()}: ${refusals[word]}`)
  replies.error(
    `ERR unknown command '${shown(client, 0, shownNameMax)}', with args beginning with: ${shownArguments(client)}`,
  )
}

/** A client of RESP2 with subscriptions may only change them. */
export function refuseSubscriber(client: Client, { name }: RespCommand): void {
  const word = name === 'client' || name === 'config' || name === 'command' ? wordOf(client, 1) : ''
  const shownName = word === '' ? name : `${name}|${word.slice(0, shownNameMax)}`
  client.replies.error(
    `ERR Can't execute '${shownName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  )
}

function shownArguments(client: Client): string {
  let text = ''
  for (let index = 1; index < client.args.count && text.length < shownArgumentsMax; index++) {
    text += `'${shown(client, index, shownArgumentsMax - text.length)}' `
  }
  return text
}

/** Returns the beginning of an argument. */
function shown(client: Client, index: number, lengthMax: number): string {
  return textOf(client, index).slice(0, lengthMax)
}
