/** What is looked at of a request to Bun's server before it is answered, since it has to do with the connection. */
import { LatchkeyError } from '../errors.ts'
import type { Handler } from './handler.ts'
import type { HostRule } from './host-rule.ts'
import { isLoopback } from './loopback.ts'
import { problemResponse } from './problem.ts'

/** For `fetch` of Bun.serve. */
export type BunHandler = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>

/** By the ports of this machine that our connections to Bun's server behind the lane come from: whether the client at the other end is on this machine, too. */
export type PassedOn = Map<number, boolean>

/** For Bun's server at a port where clients connect. */
export function guarded(handler: Handler, rule: HostRule | undefined): BunHandler {
  if (rule === undefined) return handler
  return (request, server) => {
    const host = request.headers.get('host')
    if (rule.admits(host)) return handler(request)
    const isHeld = rule.isForAll || isLoopback(server.requestIP(request)?.address ?? '')
    return isHeld ? rule.refusal(host) : handler(request)
  }
}

/** For Bun's server behind the lane: whoever else connects there is refused. */
export function guardedBehind(handler: Handler, rule: HostRule | undefined, passedOn: PassedOn): BunHandler {
  return (request, server) => {
    const isLocal = passedOn.get(server.requestIP(request)?.port ?? 0)
    if (isLocal === undefined) return refusePort()
    const host = request.headers.get('host')
    const isHeld = rule !== undefined && (isLocal || rule.isForAll) && !rule.admits(host)
    return isHeld ? rule.refusal(host) : handler(request)
  }
}

function refusePort(): Response {
  const found = 'this port is for connections that the server passes on to itself; use that of SERVER_PORT'
  return problemResponse(new LatchkeyError('internal_port', `Answering the request: ${found}`), { connection: 'close' })
}
