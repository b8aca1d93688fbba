/** Arguments of a command as text and numbers, with Redis's errors. */
import { CommandError } from './error-reply.ts'
import { namesMax } from './limits.ts'
import type { Session } from './session.ts'

const latin1 = new TextDecoder('latin1')

/** Returns an argument, one character for each byte. */
export function textOf(session: Session, index: number): string {
  return latin1.decode(session.args.argument(index))
}

/** Returns an argument in lower case, for options and subcommands. */
export function wordOf(session: Session, index: number): string {
  return textOf(session, index).toLowerCase()
}

/** @throws CommandError if it is not a whole number of 64 bits */
export function integerOf(session: Session, index: number): number {
  const text = textOf(session, index)
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
export function namesOf(session: Session): string[] {
  const count = session.args.count - 2
  if (count > namesMax) {
    throw new CommandError(`ERR reading ${count} names: a command may have ${namesMax}; send several commands`)
  }
  return Array.from({ length: count }, (_, index) => wordOf(session, index + 2))
}

/** For a subcommand that does not exist. */
export function unknownSubcommand(session: Session, container: string): CommandError {
  const found = textOf(session, 1).slice(0, 128)
  return new CommandError(`ERR unknown subcommand '${found}'. Try ${container} HELP.`)
}

export function wrongCount(name: string): CommandError {
  return new CommandError(`ERR wrong number of arguments for '${name}' command`)
}
