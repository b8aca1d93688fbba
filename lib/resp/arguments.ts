/** Arguments of a command as text and numbers, with Redis's errors. */
import type { Client } from './client.ts'
import { CommandError } from './error-reply.ts'
import { namesMax } from './limits.ts'

const latin1 = new TextDecoder('latin1')

/** Returns an argument, one character for each byte. */
export function textOf(client: Client, index: number): string {
  return latin1.decode(client.args.argument(index))
}

/** Returns an argument in lower case, for options and subcommands. */
export function wordOf(client: Client, index: number): string {
  return textOf(client, index).toLowerCase()
}

/** @throws CommandError if it is not a whole number of 64 bits */
export function integerOf(client: Client, index: number): number {
  const text = textOf(client, index)
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) throw notAnInteger()
  return Number(text)
}

export function notAnInteger(): CommandError {
  return new CommandError('ERR value is not an integer or out of range')
}

export function syntaxError(): CommandError {
  return new CommandError('ERR syntax error')
}

/**
 * Names in the arguments after a subcommand.
 * @throws CommandError if there are too many
 */
export function namesOf(client: Client): string[] {
  const count = client.args.count - 2
  if (count > namesMax) {
    throw new CommandError(`ERR reading ${count} names: a command may have ${namesMax}; send several commands`)
  }
  return Array.from({ length: count }, (_, index) => wordOf(client, index + 2))
}

/** For a subcommand that does not exist. */
export function unknownSubcommand(client: Client, container: string, known: readonly string[]): CommandError {
  const found = textOf(client, 1).slice(0, 128)
  return new CommandError(`ERR unknown subcommand '${found}'. ${container} has ${known.join(', ').toUpperCase()}.`)
}

export function wrongCount(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`)
}
