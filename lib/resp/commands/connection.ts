/** Commands about the connection itself: greeting, token, protocol version, end. */
import { integerOf, textOf, wordOf, wrongCount } from '../arguments.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../error-reply.ts'
import { serverName, serverVersion } from '../server-identity.ts'
import { checkName } from './client-command.ts'

const userName = 'default'

export function ping(client: Client): void {
  const { args, replies } = client
  if (args.count > 2) throw wrongCount('ping')
  if (client.isSubscriber) {
    replies.array(2)
    replies.text('pong')
    replies.bulk(args.count === 1 ? new Uint8Array(0) : new Uint8Array(args.argument(1)))
  } else if (args.count === 1) replies.simple('PONG')
  else echo(client)
}

export function echo({ args, replies }: Client): void {
  replies.bulk(new Uint8Array(args.argument(1)))
}

/** Databases are numbered; there is one. */
export function select(client: Client): void {
  if (integerOf(client, 1) !== 0) throw new CommandError('ERR DB index is out of range')
  client.replies.simple('OK')
}

export function quit(client: Client): void {
  client.replies.simple('OK')
  client.end()
}

/** The connection is as it was after it was opened. */
export function reset(client: Client): void {
  client.reset()
  client.replies.simple('RESET')
}

/** `AUTH token`, or `AUTH default token`. */
export function auth(client: Client): void {
  const { args, context, replies } = client
  if (args.count > 3) throw new CommandError('ERR syntax error')
  if (args.count === 2 && !context.token.isRequired) {
    const found = 'AUTH <password> called without any password configured for the default user'
    throw new CommandError(`ERR ${found}. Are you sure your configuration is correct?`)
  }
  authenticate(client, args.count - 1)
  replies.simple('OK')
}

/** `HELLO [version [AUTH default token] [SETNAME name]]` */
export function hello(client: Client): void {
  const { args, replies } = client
  const version = args.count > 1 ? textOf(client, 1) : undefined
  if (version !== undefined && !/^-?\d{1,18}$/.test(version)) {
    throw new CommandError('ERR Protocol version is not an integer or out of range')
  }
  if (version !== undefined && version !== '2' && version !== '3') {
    throw new CommandError('NOPROTO unsupported protocol version')
  }
  let name: string | undefined
  let tokenAt = 0
  for (let index = 2; index < args.count;) {
    const word = wordOf(client, index)
    if (word === 'auth' && index + 2 < args.count) {
      tokenAt = index + 2
      index += 3
    } else if (word === 'setname' && index + 1 < args.count) {
      name = textOf(client, index + 1)
      checkName(name)
      index += 2
    } else throw new CommandError(`ERR Syntax error in HELLO option '${textOf(client, index).slice(0, 128)}'`)
  }
  if (tokenAt > 0) authenticate(client, tokenAt)
  if (!client.isAuthenticated) {
    throw new CommandError(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    )
  }
  if (name !== undefined) client.setName(name)
  // Invalidations need RESP3.
  if (version === '2') client.pushes.untrack()
  if (version !== undefined) replies.speak(version === '3' ? 3 : 2)
  replyHello(client)
}

function replyHello({ replies, id }: Client): void {
  replies.map(7)
  replies.pair('server', serverName)
  replies.pair('version', serverVersion)
  replies.text('proto')
  replies.integer(replies.isResp3 ? 3 : 2)
  replies.text('id')
  replies.integer(id)
  replies.pair('mode', 'standalone')
  replies.pair('role', 'master')
  replies.text('modules')
  replies.array(0)
}

/**
 * Compares in constant time.
 * @param tokenAt place of the token; the user name is before it, unless the token is the only argument
 */
function authenticate(client: Client, tokenAt: number): void {
  const isUser = tokenAt === 1 || textOf(client, tokenAt - 1) === userName
  const isRight = client.context.token.isRight(textOf(client, tokenAt))
  if (!isUser || !isRight) throw new CommandError('WRONGPASS invalid username-password pair or user is disabled.')
  client.authenticated()
}
