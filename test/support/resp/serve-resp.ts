/** A server of HTTP and the Redis protocol over a store without Kafka, at free ports. */
import { createRequestHandler, observe } from '../../../lib/http/handler.ts'
import { RespStats } from '../../../lib/metrics/index.ts'
import { commandLabels, RespContext } from '../../../lib/resp/index.ts'
import { type HttpServer, listen, type ListenOptions } from '../../../lib/server/listen.ts'
import type { Token } from '../../../lib/text/token.ts'
import { RespFakeStore } from './fake-store.ts'

export interface RespServed extends AsyncDisposable {
  store: RespFakeStore
  stats: RespStats
  server: HttpServer
  /** Of the Redis protocol. */
  port: number
}

export function serveResp(options: Partial<ListenOptions> & { token?: Token | string } = {}): RespServed {
  const store = new RespFakeStore()
  const stats = new RespStats(commandLabels)
  const { token, connectionsMax = Infinity } = options
  const context = new RespContext(store, stats, { token, connectionsMax })
  const requestHandler = createRequestHandler(store, options, observe(store, '1.2.3'))
  const resp = { port: 0, context }
  const server = listen(requestHandler, { bind: '127.0.0.1', port: 0, resp, ...options })
  return { store, stats, server, port: server.respPort!, [Symbol.asyncDispose]: () => server.stop(0) }
}
