/** All commands. */
import { clientCommand } from './client-command.ts'
import type { RespCommand, RespCommandDefinition } from './command.ts'
import { config } from './config.ts'
import { auth, echo, hello, ping, quit, reset, select } from './connection.ts'
import { describe } from './describe.ts'
import { info } from './info.ts'
import { exists, get, getrange, mget, strlen, ttl, type } from './reading.ts'
import { psubscribe, punsubscribe, subscribe, unsubscribe } from './subscribing.ts'
import { dbsize, keys, scan } from './walking.ts'

type Description = Omit<RespCommandDefinition, 'name' | 'arity' | 'run' | 'keys'>

const none = [0, 0, 0] as const
const first = [1, 1, 1] as const
const all = [1, -1, 1] as const

const readsString: Description['flags'] = ['readonly', 'fast']
const reads: Description['flags'] = ['readonly']
const anyTime: Description['flags'] = ['noscript', 'loading', 'stale', 'fast']

const definitions: readonly RespCommandDefinition[] = [
  define('get', 2, first, get, string('1.0.0', 'Returns the string value of a key.', readsString)),
  define('mget', -2, all, mget, string('1.0.0', 'Returns the string values of one or more keys.', readsString)),
  define('strlen', 2, first, strlen, string('2.2.0', 'Returns the length of a string value.', readsString)),
  define('getrange', 4, first, getrange, string('2.4.0', 'Returns a part of the string stored at a key.', reads)),
  define('exists', -2, all, exists, generic('1.0.0', 'Determines whether one or more keys exist.', readsString)),
  define('type', 2, first, type, generic('1.0.0', 'Determines the type of value stored at a key.', readsString)),
  define('ttl', 2, first, ttl, generic('1.0.0', 'Returns the expiration time in seconds of a key.', readsString)),
  define('pttl', 2, first, ttl, generic('2.6.0', 'Returns the expiration time in milliseconds of a key.', readsString)),
  define('scan', -2, none, scan, generic('2.8.0', 'Iterates over the key names in the database.', reads)),
  define('keys', 2, none, keys, generic('1.0.0', 'Returns all key names that match a pattern.', reads)),
  define('dbsize', 1, none, dbsize, server('1.0.0', 'Returns the number of keys in the database.', readsString)),
  define('info', -1, none, info, server('1.0.0', 'Returns information and statistics about the server.', anyTime)),
  define('config', -2, none, config, server('2.0.0', 'Returns the effective values of parameters.', anyTime)),
  define(
    'command',
    -1,
    none,
    (client) => describe(client, commands),
    server('2.8.13', 'Returns all commands.', anyTime),
  ),
  define('subscribe', -2, none, subscribe, pubsub('2.0.0', 'Listens for messages of channels.')),
  define('psubscribe', -2, none, psubscribe, pubsub('2.0.0', 'Listens for messages of channels that match patterns.')),
  define('unsubscribe', -1, none, unsubscribe, pubsub('2.0.0', 'Ends listening for messages of channels.')),
  define('punsubscribe', -1, none, punsubscribe, pubsub('2.0.0', 'Ends listening for messages of patterns.')),
  define('client', -2, none, clientCommand, connection('2.4.0', 'Informs about the connection.')),
  define('ping', -1, none, ping, {
    ...connection('1.0.0', "Returns the server's liveliness response."),
    isForSubscribers: true,
  }),
  define('echo', 2, none, echo, connection('1.0.0', 'Returns the given string.')),
  define('select', 2, none, select, connection('1.0.0', 'Changes the selected database.')),
  define('auth', -2, none, auth, { ...connection('1.0.0', 'Authenticates the connection.'), isOpen: true }),
  define('hello', -1, none, hello, { ...connection('6.0.0', 'Handshakes with the server.'), isOpen: true }),
  define('quit', -1, none, quit, always('1.0.0', 'Closes the connection.')),
  define('reset', 1, none, reset, always('6.2.0', 'Resets the connection.')),
]

/** By name. */
export const commands: ReadonlyMap<string, RespCommand> = new Map(
  definitions.map((definition, label) => [definition.name, { ...definition, label }]),
)

/** Labels of the metrics, by index: the commands, and what is refused. */
export const commandLabels: readonly string[] = [...definitions.map(({ name }) => name), 'write', 'unknown']
export const writeLabel = definitions.length
export const unknownLabel = definitions.length + 1

function define(
  name: string,
  arity: number,
  places: RespCommandDefinition['keys'],
  run: RespCommandDefinition['run'],
  description: Description,
): RespCommandDefinition {
  return { name, arity, keys: places, run, ...description }
}

function string(since: string, summary: string, flags: Description['flags']): Description {
  return { group: 'string', since, summary, flags }
}

function generic(since: string, summary: string, flags: Description['flags']): Description {
  return { group: 'generic', since, summary, flags }
}

function server(since: string, summary: string, flags: Description['flags']): Description {
  return { group: 'server', since, summary, flags }
}

function connection(since: string, summary: string): Description {
  return { group: 'connection', since, summary, flags: anyTime }
}

/** Carried out in each state of a connection. */
function always(since: string, summary: string): Description {
  return { ...connection(since, summary), isOpen: true, isForSubscribers: true }
}

function pubsub(since: string, summary: string): Description {
  return { group: 'pubsub', since, summary, flags: ['pubsub', 'noscript', 'loading', 'stale'], isForSubscribers: true }
}
