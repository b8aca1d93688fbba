/** Connections to a fast path over sockets that a test controls. */
import { ValueAnswer } from '../../../lib/http/value-answer.ts'
import { BodyBudget } from '../../../lib/server/fast-path/body-budget.ts'
import { ClientConnection } from '../../../lib/server/fast-path/client-connection.ts'
import type { ConnectionHost } from '../../../lib/server/fast-path/connection-host.ts'
import { HeldAnswers } from '../../../lib/server/fast-path/held-answers.ts'
import { Slots } from '../../../lib/server/fast-path/slots.ts'
import { ForwardedRequests } from '../../../lib/server/forwarded-requests.ts'
import { Turns } from '../../../lib/turns.ts'
import { FakeSocket } from './fake-socket.ts'

export const waitingBytesMax = 65_536
export const idleTicks = 30

export interface FakeFastPath extends ConnectionHost {
  ticks: number
}

export function fastPathOf(requestHandler: ConnectionHost['requestHandler'], port = 0): FakeFastPath {
  const upstream = { port, forwarded: new ForwardedRequests() }
  const bounds = { slots: new Slots(1), held: new HeldAnswers(), bodies: new BodyBudget(), turns: new Turns() }
  return {
    requestHandler,
    hostRule: undefined,
    upstream,
    ...bounds,
    storeId: 'orders',
    ticks: 0,
    date: 'now',
    isClosing: false,
  }
}

/** A connection that is asked for as much as it reads. */
export function connect(host: FakeFastPath, room: number) {
  const socket = new FakeSocket(room)
  const connection = new ClientConnection(host, socket.asSocket)
  return {
    socket,
    connection,
    /** Sends requests until it is not read from any more. @returns how many bytes that takes, with a bound on them */
    fill(request: string): number {
      let sent = 0
      while (!socket.isPaused && sent < 100 * waitingBytesMax) {
        const bytes = Buffer.from(request.repeat(100))
        connection.received(bytes)
        sent += bytes.length
      }
      return sent
    },
    makeRoom(): void {
      socket.room = Infinity
      connection.drained()
    },
  }
}

export function valueOf(value: Uint8Array): ValueAnswer {
  const lookup = { value, partition: 0, offset: 1, timestamp: 1 }
  return new ValueAnswer(lookup, value, { as: 'bytes', isRaw: true, headers: new Headers() })
}

export const answered = () => new Response('x'.repeat(100))
/** The fast path has an answer's body later. */
export const turn = () => new Promise((resolve) => setTimeout(resolve))

/** Waits for a condition turn by turn of the loop, as many at most: with until(), thousands may pass between two checks. */
export async function inTurns(isMet: () => boolean, turnsMax = 1_000): Promise<void> {
  for (let left = turnsMax; left > 0 && !isMet(); left--) await new Promise((resolve) => setImmediate(resolve))
}
