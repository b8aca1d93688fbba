/** What is looked at of a request to Bun's server before it is answered, since it has to do with the connection, and what it does not see to itself. */
import { LatchkeyError } from '../errors.ts'
import type { Handler } from '../http/handler.ts'
import type { HostRule } from './host-rule.ts'
import { problemResponse } from '../http/problem.ts'

/** No route reads a body. Bun's server holds it against those that it expects: none is expected with a GET. */
export const requestBodyBytesMax = 4_096

/** A name, which may be empty, or an address, and perhaps a port (RFC 9110, 7.2). Several of the header are joined by Bun's server, which this does not match. */
export const hostPattern = /^(?:\[[\da-f:.]+\]|[\w.\-~%!$&'()*+;=]*)(?::\d{0,5})?$/i

/** Bun's server takes several that are equal for one, and joins them, which this does not match (RFC 9112, 6.3). */
const lengthPattern = /^\d+$/

/** For `fetch` of Bun.serve. */
export type BunHandler = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>

/** By the ports of this machine that our connections to Bun's server behind the lane come from: whether the client at the other end is on this machine, too. */
export type PassedOn = Map<number, boolean>

/** For Bun's server behind the lane: whoever else connects there is refused. */
export function guarded(handler: Handler, rule: HostRule | undefined, passedOn: PassedOn): BunHandler {
  return (request, server) => {
    const isLocal = passedOn.get(server.requestIP(request)?.port ?? 0)
    if (isLocal === undefined) return refusePort()
    const host = request.headers.get('host')
    const isHeld = rule !== undefined && (isLocal || rule.isForAll) && !rule.admits(host) && isHost(host)
    return isHeld ? closing(rule.refusal(host)) : answered(handler, request, host)
  }
}

/** What is none is refused as such, and not for the name in it. */
function isHost(host: string | null): boolean {
  return host === null || hostPattern.test(host)
}

/** What comes behind such a request is not to be trusted, so that the connection ends with the answer. */
function refuse({ headers }: Request, host: string | null): Response | undefined {
  if (!isHost(host)) {
    const message = 'Reading the request: it has several Host headers, or one that is no name and no address; send one'
    return closing(problemResponse(new LatchkeyError('invalid_host', message)))
  }
  const length = headers.get('content-length')
  if (length !== null && !lengthPattern.test(length)) {
    const message = 'Reading the request: it has several Content-Length headers; send one, or none'
    return closing(problemResponse(new LatchkeyError('malformed_request', message)))
  }
  if (Number(length) > requestBodyBytesMax) {
    const message = `Reading the request: its body is longer than ${requestBodyBytesMax} bytes; send none, no path needs one`
    return closing(problemResponse(new LatchkeyError('body_too_large', message)))
  }
  return undefined
}

/** The connection ends with the answer, which says so, where the client asks for it, and where a body may go on without end. */
function answered(handler: Handler, request: Request, host: string | null): Response | Promise<Response> {
  const answer = refuse(request, host) ?? handler(request)
  if (!endsConnection(request.headers)) return answer
  return answer instanceof Promise ? answer.then(closing) : closing(answer)
}

function endsConnection(headers: Headers): boolean {
  if (headers.has('transfer-encoding')) return true
  const connection = headers.get('connection')
  return connection !== null && /(?:^|,)\s*close\s*(?:,|$)/i.test(connection)
}

/** The same answer, after which the connection ends. */
export function closing(answer: Response): Response {
  answer.headers.set('connection', 'close')
  return answer
}

function refusePort(): Response {
  const found = 'this port is for connections that the server passes on to itself; use that of SERVER_PORT'
  return closing(problemResponse(new LatchkeyError('internal_port', `Answering the request: ${found}`)))
}
