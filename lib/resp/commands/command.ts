/** What a command is, for the dispatch and for COMMAND. */
import type { Client } from '../client.ts'

export interface RespCommandDefinition {
  /** In lower case. */
  readonly name: string
  /** Number of arguments, the name included; negative: at least as many. */
  readonly arity: number
  /** Places of the keys: the first, the last (negative: from the end), and the step; zeros if there are none. */
  readonly keys: readonly [number, number, number]
  readonly flags: readonly string[]
  readonly group: 'string' | 'generic' | 'connection' | 'server' | 'pubsub'
  readonly since: string
  readonly summary: string
  /** Carried out before the client has sent the token. */
  readonly isOpen?: true
  /** Carried out while a client of RESP2 has subscriptions. */
  readonly isForSubscribers?: true
  /**
   * Writes the reply, now or when the promise resolves. Writes nothing before an error is thrown.
   * @throws CommandError or LatchkeyError, which become the reply; also as a rejection
   */
  run(client: Client): void | Promise<void>
}

export interface RespCommand extends RespCommandDefinition {
  /** Index of its label in the metrics. */
  readonly label: number
}
