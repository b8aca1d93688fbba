/** Entry point of a further HTTP thread. It listens at the same port, and looks keys up in the same memory. */
import type { TlsPair } from '../config/tls-pair.ts'
import { definitionOf } from '../definition/index.ts'
import { LatchkeyError, messageOf } from '../errors.ts'
import { createRequestHandler, type InstanceFacts } from '../http/handler.ts'
import { askForShortTurns } from '../linux/short-turns.ts'
import { changeLogLevel, configureLogging, writePending } from '../log/index.ts'
import { createMetrics, LookupStats, RespStats } from '../metrics/index.ts'
import { commandLabels, RespContext } from '../resp/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import { startStore } from '../store/store.ts'
import { Token } from '../text/token.ts'
import { descriptorLimit } from './descriptors.ts'
import { type PeerEvents, routeThread, type ThreadRouting } from './group-routing.ts'
import { hostRuleOf } from './host-rule.ts'
import type { FromHttpThread, HttpThreadStart, ToHttpThread } from './http-thread-messages.ts'
import { boundsWithin } from './listen.ts'
import type { Listener } from './listener.ts'
import { openListeners } from './listeners.ts'
import { RelayedThreads } from './relayed-threads.ts'

declare const self: Worker

let threads: RelayedThreads | undefined
let routed: ThreadRouting | undefined
let listener: Listener | undefined
/** All of these may be replaced before the listener is open. */
let tls: TlsPair | undefined
let tokenText: string | undefined
let token = new Token(undefined)
let group: GroupReport | undefined
let facts: InstanceFacts | undefined

function post(message: FromHttpThread): void {
  self.postMessage(message)
}

const peerEvents: PeerEvents = {
  reached: (memberId, url) => post({ type: 'reached', memberId, url }),
  suspect: (memberId) => post({ type: 'suspect', memberId }),
}

async function start(options: HttpThreadStart): Promise<void> {
  const { readerThread, config, logging, bind, port, hosts, connectionsMax, lookupCounts } = options
  const { hasFastPath, corsOrigins, respPort, respCounts } = options
  const own = options.facts
  facts = own
  tls = options.tls
  tokenText ??= options.token
  token = new Token(tokenText)
  configureLogging({ ...logging, without: 'store' })
  try {
    const definition = await definitionOf(config)
    threads = new RelayedThreads(readerThread, (thread, message) => post({ type: 'store', thread, message }))
    const store = startStore(config, logging, definition, threads)
    const lookupStats = new LookupStats(lookupCounts, readerThread)
    const respStats = new RespStats(commandLabels, respCounts, readerThread)
    routed = routeThread(store, options.routing, { token: tokenText, lookupStats }, peerEvents)
    if (group !== undefined) routed.setGroup(group)
    const { view, routing } = routed
    const observed = { metrics: createMetrics(view, lookupStats, own, respStats), lookupStats, respStats, facts: own }
    const requestHandler = createRequestHandler(view, { token, corsOrigins, group: routing?.requests }, observed)
    const hostRule = hostRuleOf({
      hosts,
      token,
      refused: () => lookupStats.observeRefusedHost(),
    })
    const bounds = boundsWithin(descriptorLimit(), connectionsMax, lookupCounts.length)
    const place = { thread: readerThread, threads: lookupCounts.length }
    const respOptions = { token, ...place, connectionsMax: bounds.clientsMax }
    const resp =
      respPort === undefined ? undefined : { port: respPort, context: new RespContext(view, respStats, respOptions) }
    const handling = { requestHandler, hasFastPath, hostRule, storeId: store.id, resp }
    listener = openListeners({ bind, port, tls, sharing: 'other', ...handling, ...bounds })
    askForShortTurns()
    post({ type: 'listening' })
  } catch (thrown) {
    const code = thrown instanceof LatchkeyError ? thrown.code : 'internal'
    post({ type: 'failed', error: { code, message: messageOf(thrown) } })
  }
}

async function stop(drainTimeoutMs: number): Promise<void> {
  await listener?.stop(drainTimeoutMs)
  routed?.routing?.close()
  writePending()
  post({ type: 'stopped' })
}

self.onmessage = ({ data }: MessageEvent<ToHttpThread>) => {
  switch (data.type) {
    case 'start':
      void start(data)
      break
    case 'store':
      threads?.received(data.thread, data.message)
      break
    case 'renew-tls':
      tls = data.pair
      listener?.renewTls(data.pair)
      break
    case 'replace-token':
      tokenText = data.token
      token.replace(data.token)
      routed?.routing?.replaceToken(data.token)
      listener?.tokenReplaced()
      break
    case 'group':
      group = data.report
      routed?.setGroup(data.report)
      break
    case 'log-level':
      changeLogLevel(data.level)
      break
    case 'settings':
      if (facts !== undefined) facts.settings = data.settings
      break
    case 'stop':
      void stop(data.drainTimeoutMs)
      break
  }
}
