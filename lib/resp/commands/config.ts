/** CONFIG GET: the few parameters of Redis that clients and tools ask for. Latchkey's settings are not among them. */
import { namesOf, unknownSubcommand, wordOf, wrongCount } from '../arguments.ts'
import type { Client } from '../client.ts'
import { Glob } from '../glob.ts'
import { commandBytesMax } from '../limits.ts'

export function config(client: Client): void {
  const { args, replies, context } = client
  if (wordOf(client, 1) !== 'get') throw unknownSubcommand(client, 'CONFIG', ['get'])
  if (args.count < 3) throw wrongCount('config|get')
  const globs = namesOf(client).map((name) => new Glob(Buffer.from(name, 'latin1')))
  const { connectionsMax } = context
  const parameters = {
    appendonly: 'no',
    databases: '1',
    maxclients: String(Number.isFinite(connectionsMax) ? connectionsMax : 0),
    maxmemory: '0',
    'maxmemory-policy': 'noeviction',
    // Of keys and of events; of all commands and of those of strings.
    'notify-keyspace-events': 'g$KE',
    'proto-max-bulk-len': String(commandBytesMax),
    save: '',
    timeout: '0',
  }
  const shown = Object.entries(parameters).filter(([name]) => globs.some((glob) => glob.matches(Buffer.from(name))))
  replies.map(shown.length)
  for (const [name, value] of shown) replies.pair(name, value)
}
