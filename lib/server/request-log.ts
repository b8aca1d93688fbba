/**
 * Trace lines of requests. They have neither target nor headers, which contain keys, parameters and tokens. Nothing is
 * built unless this thread logs trace.
 */
import { METHODS } from 'node:http'
import { isTrace, loggerOf } from '../log/index.ts'
import type { BunHandler } from './request-guard.ts'

const log = loggerOf('http')
const methods: ReadonlySet<string> = new Set(METHODS)

/** Of bodies that may have no end. */
const streamTypes = /^(?:text\/event-stream|application\/x-ndjson)/

export interface AnsweredRequest {
  client: string
  method: string
  /** 0 if the connection ended without a response. */
  status: number
  /** Bytes of the response's body; 0 if it is not waited for. */
  bytes: number
  /** When the request was complete, or passed on (performance.now()). */
  startedAt: number
  server: 'fast path' | "Bun's server"
  store: string
}

/** Call it only if isTrace(). */
export function logRequest({ client, method, status, bytes, startedAt, server, store }: AnsweredRequest): void {
  log.trace('Request {method} from {client}: status {status}, {bytes} bytes in {ms} ms ({server}, store {store})', {
    client,
    // The first word of bytes that are not HTTP may be anything.
    method: methods.has(method) ? method : 'unknown',
    status,
    bytes,
    ms: Math.round((performance.now() - startedAt) * 1_000) / 1_000,
    server,
    store,
  })
}

/** Address and port of a client, as in a URL. */
export function clientText(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Wraps the `fetch` of a server at the public port. Requests that Bun's server refuses itself have no line. */
export function traced(fetch: BunHandler, store: string): BunHandler {
  return (request, server) => (isTrace() ? answeredWithLine(request, server) : fetch(request, server))

  async function answeredWithLine(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    const startedAt = performance.now()
    const { address = '', port = 0 } = server.requestIP(request) ?? {}
    const answer = await fetch(request, server)
    const { method } = request
    const isCounted = method !== 'HEAD' && !streamTypes.test(answer.headers.get('content-type') ?? '')
    const bytes = isCounted ? (await answer.clone().bytes()).length : 0
    const client = clientText(address, port)
    logRequest({ client, method, status: answer.status, bytes, startedAt, server: "Bun's server", store })
    return answer
  }
}
