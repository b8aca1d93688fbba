/** State that all connections of a fast path share. */
import type { Socket } from 'bun'
import type { RequestHandler } from '../../http/answer.ts'
import type { Turns } from '../../turns.ts'
import type { ForwardedRequests } from '../forwarded-requests.ts'
import type { HostRule } from '../host-rule.ts'
import type { BodyBudget } from './body-budget.ts'
import type { ConnectionLog } from './connection-log.ts'
import type { HeldAnswers } from './held-answers.ts'
import type { Reading } from './reading.ts'
import type { Slots } from './slots.ts'
import type { WriteBuffer } from './write-buffer.ts'

/** Bun's server, on this machine. */
export interface Upstream {
  readonly port: number
  readonly forwarded: ForwardedRequests
}

/** The client of a tunnel. */
export interface TunnelClient {
  readonly socket: Pick<Socket<unknown>, 'end' | 'terminate'>
  readonly writeBuffer: WriteBuffer
  readonly reading: Reading
  /** The client is on this machine. */
  readonly isLocal: boolean
  readonly log?: ConnectionLog | undefined
  /** The client has taken all bytes so far. */
  progressed(): void
  /** A request was answered. `rest` is what the client sent after it. */
  answered(rest: Uint8Array): void
}

export interface ConnectionHost {
  readonly requestHandler: RequestHandler
  readonly hostRule: HostRule | undefined
  readonly upstream: Upstream
  /** Slots of tunnels. */
  readonly slots: Slots
  readonly held: HeldAnswers
  readonly bodies: BodyBudget
  readonly turns: Turns
  /** For trace lines. */
  readonly storeId: string
  /** Clock for idle connections, in ticks. */
  readonly ticks: number
  /** Current date in HTTP format. */
  readonly date: string
  /** Each response closes its connection. */
  readonly isClosing: boolean
}
