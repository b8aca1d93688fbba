/** COMMAND: the commands that there are, for clients that ask and for completion in redis-cli. */
import { namesOf, unknownSubcommand, wordOf, wrongCount } from '../arguments.ts'
import type { Client } from '../client.ts'
import type { RespCommand } from './command.ts'

const subcommands = ['info', 'docs', 'count', 'list']

export function describe(client: Client, table: ReadonlyMap<string, RespCommand>): void {
  const { args, replies } = client
  const all = [...table.values()]
  if (args.count === 1) return replyInfos(client, all)
  const word = wordOf(client, 1)
  const asked = namesOf(client).map((name) => table.get(name))
  if (word === 'info') return replyInfos(client, args.count === 2 ? all : asked)
  if (word === 'docs') return replyDocs(client, args.count === 2 ? all : asked.filter((one) => one !== undefined))
  if (word !== 'count' && word !== 'list') throw unknownSubcommand(client, 'COMMAND', subcommands)
  if (args.count !== 2) throw wrongCount(`command|${word}`)
  if (word === 'count') replies.integer(all.length)
  else replies.texts(all.map(({ name }) => name))
}

function replyInfos({ replies }: Client, commands: readonly (RespCommand | undefined)[]): void {
  replies.array(commands.length)
  for (const command of commands) {
    if (command === undefined) {
      replies.nil()
      continue
    }
    const { name, arity, flags, keys, group } = command
    replies.array(10)
    replies.text(name)
    replies.integer(arity)
    replies.set(flags.length)
    for (const flag of flags) replies.simple(flag)
    for (const place of keys) replies.integer(place)
    const categories = [`@${group}`, ...(flags.includes('readonly') ? ['@read'] : [])]
    replies.set(categories.length)
    for (const category of categories) replies.simple(category)
    // Tips, specifications of keys, and subcommands.
    for (let part = 0; part < 3; part++) replies.array(0)
  }
}

function replyDocs({ replies }: Client, commands: readonly RespCommand[]): void {
  replies.map(commands.length)
  for (const { name, summary, since, group } of commands) {
    replies.text(name)
    replies.map(3)
    replies.pair('summary', summary)
    replies.pair('since', since)
    replies.pair('group', group)
  }
}
