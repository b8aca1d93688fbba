/**
 * Checks of a request to Bun's server before it is answered: those that concern the connection, and those that Bun's
 * server does not do itself.
 */
import { LatchkeyError } from '../errors.ts'
import { type Answer, isWritten, type RequestHandler } from '../http/answer.ts'
import { readsBody } from '../http/collection.ts'
import { type Handler, handlerOf } from '../http/handler.ts'
import { HeldAnswer } from '../http/held-answer.ts'
import { bodyBytesMax } from '../http/key-list.ts'
import { targetOf } from '../http/key.ts'
import { mapAnswer, PendingAnswer } from '../http/pending-answer.ts'
import { problemResponse } from '../http/problem.ts'
import { bodyTooLarge } from '../http/request-body.ts'
import type { RequestHead } from '../http/request-head.ts'
import { StreamAnswer } from '../http/stream-answer.ts'
import { isDebug, loggerOf } from '../log/index.ts'
import { isLoopback } from '../text/loopback.ts'
import type { ForwardedRequests, PendingKind } from './forwarded-requests.ts'
import { ForwardedSource } from './forwarded-source.ts'
import type { HostRule } from './host-rule.ts'

/** Requests for many keys have a body. No other route reads one. */
const unreadBodyBytesMax = 4_096

/**
 * A name, which may be empty, or an address, with an optional port (RFC 9110, section 7.2). Bun's server joins several
 * Host headers; the joined text does not match.
 */
export const hostPattern = /^(?:\[[\da-f:.]+\]|[\w.\-~%!$&'()*+;=]*)(?::\d{0,5})?$/i

/**
 * Bun's server accepts several equal lengths as one, and joins them; the joined text does not match (RFC 9112, section
 * 6.3).
 */
const lengthPattern = /^\d+$/

const exhausted = {
  stream: ['walks_exhausted', 'Sending a stream', 'streams'],
  walk: ['walks_exhausted', 'Walking the store', 'walks'],
  wait: ['waits_exhausted', 'Waiting for a change', 'waits'],
} as const

const log = loggerOf('http')

/** For the `fetch` of Bun.serve. */
export type BunHandler = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>

/** Wraps a request handler for Bun's server at the public port. */
export function guarded(requestHandler: RequestHandler, rule: HostRule | undefined): BunHandler {
  const handler = handlerOf(requestHandler)
  return (request, server) => {
    const isLocal = rule !== undefined && isLoopback(server.requestIP(request)?.address ?? '')
    return admitted(handler, request, rule, isLocal)
  }
}

/** Wraps a request handler for Bun's server behind the fast path. Refuses connections that no tunnel has made. */
export function guardedBehind(
  requestHandler: RequestHandler,
  rule: HostRule | undefined,
  forwarded: ForwardedRequests,
): BunHandler {
  return (request, server) => {
    const port = server.requestIP(request)?.port ?? 0
    const make = () => {
      // Its tunnel may be closed by now.
      const isLocal = forwarded.isLocal(port)
      if (isLocal === undefined) return refusePort(port)
      return admitted(handlerOf(counted(requestHandler, port, forwarded)), request, rule, isLocal)
    }
    return forwarded.whenRoom(make)
  }
}

/** @param isLocal the client is on this machine */
function admitted(
  handler: Handler,
  request: Request,
  rule: HostRule | undefined,
  isLocal: boolean,
): Response | Promise<Response> {
  const host = request.headers.get('host')
  const isHeld = rule !== undefined && (isLocal || rule.isForAll) && !rule.admits(host) && isHost(host)
  return isHeld ? closing(rule.refusal(host)) : answered(handler, request, host)
}

/** Counts the bytes of values and lists that it answers, streams, and answers that take a while. Others are small. */
function counted(requestHandler: RequestHandler, port: number, forwarded: ForwardedRequests): RequestHandler {
  const count = ({ method }: RequestHead, answer: Answer): Answer => {
    if (answer instanceof StreamAnswer && method !== 'HEAD') {
      if (!forwarded.beginStream(port)) return tooMany('stream')
      // The tunnel does not look for the end of a chunked body.
      return closing(answer.from(new ForwardedSource(answer.source, port, forwarded)).toResponse())
    }
    if (isWritten(answer) && answer.status === 200) forwarded.made(port, answer.body.length)
    return answer
  }
  return (request, target) => {
    const answer = requestHandler(request, target)
    const kind = answer instanceof HeldAnswer ? 'wait' : 'walk'
    if (!(answer instanceof PendingAnswer) || forwarded.hold(kind, answer)) {
      return mapAnswer(answer, (made) => count(request, made))
    }
    answer.cancel()
    return tooMany(kind)
  }
}

/** An invalid Host is refused as invalid, not for the name in it. */
function isHost(host: string | null): boolean {
  return host === null || hostPattern.test(host)
}

/**
 * Returns the refusal of a malformed request. The bytes after such a request cannot be trusted, so its connection ends
 * with the response.
 */
function refuse({ method, headers, url }: Request, host: string | null): Response | undefined {
  if (!isHost(host)) {
    const message =
      'Reading the request: it has several Host headers, or one that is neither a name nor an address; send one'
    return closing(problemResponse(new LatchkeyError('invalid_host', message)))
  }
  const length = headers.get('content-length')
  if (length !== null && !lengthPattern.test(length)) {
    const message = 'Reading the request: it has several Content-Length headers; send one, or none'
    return closing(problemResponse(new LatchkeyError('malformed_request', message)))
  }
  if (Number(length) <= unreadBodyBytesMax) return undefined
  if (readsBody(method, targetOf(url))) {
    return Number(length) > bodyBytesMax ? closing(problemResponse(bodyTooLarge(bodyBytesMax))) : undefined
  }
  const message = `Reading the request: its body is longer than ${unreadBodyBytesMax} bytes; send none, this path needs none`
  return closing(problemResponse(new LatchkeyError('body_too_large', message)))
}

/**
 * Answers a request. The connection ends with the response, which announces it, if the client asks for that or if a
 * body may continue without end.
 */
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

/** Returns the same response, after which the connection ends. */
export function closing(answer: Response): Response {
  answer.headers.set('connection', 'close')
  return answer
}

/** Plain requests have no such bound: they need no tunnel. */
function tooMany(kind: PendingKind | 'stream'): Response {
  const [code, attempted, what] = exhausted[kind]
  const found = `as many ${what} as are possible for such requests are in progress; send a plain GET of HTTP/1.1`
  return problemResponse(new LatchkeyError(code, `${attempted}: ${found}`))
}

/** @param port of a client that is not a tunnel, or no longer is */
function refusePort(port: number): Response {
  if (isDebug()) log.debug('Request at the internal port from port {port} refused: it has no tunnel', { port })
  const found = 'this port is for connections that the server passes on to itself; use that of SERVER_PORT'
  return closing(problemResponse(new LatchkeyError('internal_port', `Answering the request: ${found}`)))
}
