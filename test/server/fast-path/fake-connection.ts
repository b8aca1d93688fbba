/** Connections to a lane over sockets that a test controls. */
import { ValueAnswer } from '../../../lib/http/value-answer.ts'
import { Connection, type ConnectionHost } from '../../../lib/server/fast-path/connection.ts'
import { HeldAnswers } from '../../../lib/server/fast-path/held-answers.ts'
import { Slots } from '../../../lib/server/fast-path/slots.ts'
import { PassedOn } from '../../../lib/server/passed-on.ts'
import { FakeSocket } from './fake-socket.ts'

export const waitingBytesMax = 65_536
export const idleTicks = 30

export interface Lane extends ConnectionHost {
  ticks: number
}

export function laneOf(answerer: ConnectionHost['answerer'], port = 0): Lane {
  const behind = { port, passedOn: new PassedOn() }
  const bounds = { slots: new Slots(1), held: new HeldAnswers() }
  return { answerer, hostRule: undefined, behind, ...bounds, ticks: 0, date: 'now', isClosing: false }
}

/** A connection that is asked for as much as it reads. */
export function connect(host: Lane, room: number) {
  const socket = new FakeSocket(room)
  const connection = new Connection(host, socket.asSocket)
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
/** The lane has an answer's body later. */
export const turn = () => new Promise((resolve) => setTimeout(resolve))
