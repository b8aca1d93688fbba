/** HTTP for the executable: the main thread and further threads, HTTP_THREADS in all, listen at one port. */
import type { EffectiveSetting } from '../config/index.ts'
import type { Definition } from '../definition/index.ts'
import type { LatchkeyError } from '../errors.ts'
import { createRequestHandler, factsOf } from '../http/handler.ts'
import { askForShortTurns } from '../linux/short-turns.ts'
import { changeLogLevel, type LogLevel } from '../log/index.ts'
import { createMetrics, LookupStats, RespStats } from '../metrics/index.ts'
import { commandLabels, RespContext } from '../resp/index.ts'
import { type PeerState, PeerWatch } from '../routing/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import type { StoreAccess } from '../store/store-port.ts'
import { startStore, type Store } from '../store/store.ts'
import { Token } from '../text/token.ts'
import { type PeerEvents, routeThread } from './group-routing.ts'
import { hostRuleOf } from './host-rule.ts'
import { HttpThreads } from './http-threads.ts'
import { type HttpServer, listen } from './listen.ts'
import type { ServerOptions } from './notices.ts'
import { Relay } from './relay.ts'

export interface Server extends Omit<HttpServer, 'tokenReplaced'> {
  /** Requests need this token at once. What was begun with the former one ends within a minute. */
  replaceToken(text: string): void
  /** Whether the other instances are reached, by member id. */
  readonly peers: ReadonlyMap<string, PeerState>
  /** For all threads. */
  setLogLevel(level: LogLevel): void
  /** The page shows these settings instead of those of the same names. */
  showSettings(settings: readonly EffectiveSetting[]): void
  /** What the group says: all threads show it, and follow its plan. */
  setGroup(report: GroupReport): void
  /** Resolves if a thread that serves has ended; never rejects. */
  readonly failed: Promise<LatchkeyError>
}

export interface GroupEvents extends PeerEvents {
  /** Whether others reach this instance at its URL; null if that is not known. */
  reachable(state: PeerState): void
  /** The log level of all threads is another one now. */
  logLevelChanged(level: LogLevel): void
  /** Requests need another token now. */
  tokenReplaced(token: string): void
}

const noEvents: GroupEvents = { reached() {}, suspect() {}, reachable() {}, logLevelChanged() {}, tokenReplaced() {} }

export interface SharedStore {
  readonly store: Store
  readonly config: StoreConfig
  readonly logging: StoreLogging
  /** The relay through which the store was opened. */
  readonly relay: Relay
}

/** Opens a store that further HTTP threads can read. @param access of this thread to the store threads */
export function openShared(
  config: StoreConfig,
  logging: StoreLogging,
  definition: Definition,
  access?: StoreAccess,
): SharedStore {
  const relay = new Relay((config.readerThreads ?? 1) - 1, access)
  return { store: startStore(config, logging, definition, relay.access), config, logging, relay }
}

/**
 * Starts the server. This thread answers requests, and should do little else.
 *
 * @param version for the build_info metric
 * @param settings in effect, for the page
 * @param events what the group has to know
 * @throws LatchkeyError if it cannot listen
 */
export function startServer(
  { store, config, logging, relay }: SharedStore,
  options: ServerOptions,
  version: string,
  settings: readonly EffectiveSetting[] = [],
  events: GroupEvents = noEvents,
): Server {
  const further = (config.readerThreads ?? 1) - 1
  const lookupCounts = Array.from({ length: 1 + further }, () => LookupStats.buffer())
  const lookupStats = new LookupStats(lookupCounts, 0)
  const { bind, hosts, corsOrigins, tls, respPort, connectionsMax = Infinity } = options
  const token = new Token(options.token)
  const respCounts = lookupCounts.map(() => RespStats.buffer())
  const respStats = new RespStats(commandLabels, respCounts)
  const facts = { ...factsOf(version), settings }
  const routed = routeThread(store, options.routing, { token: options.token, lookupStats }, events)
  const { view, routing } = routed
  const observed = { metrics: createMetrics(view, lookupStats, facts, respStats), lookupStats, respStats, facts }
  const requestHandler = createRequestHandler(view, { token, corsOrigins, group: routing?.requests }, observed)
  const hostRule = hostRuleOf({ hosts, token, refused: () => lookupStats.observeRefusedHost() })
  const resp =
    respPort === undefined
      ? undefined
      : { port: respPort, context: new RespContext(view, respStats, { token, threads: 1 + further, connectionsMax }) }
  const server = listen(requestHandler, { ...options, hostRule, resp, threads: 1 + further, storeId: store.id })
  askForShortTurns()
  const { port, url } = server
  facts.respPort = server.respPort ?? null
  const threads = new HttpThreads(
    further,
    relay,
    {
      config,
      logging,
      bind,
      port,
      token: options.token,
      hosts,
      corsOrigins,
      connectionsMax,
      respPort: server.respPort,
      respCounts,
      tls,
      hasFastPath: options.hasFastPath,
      facts,
      lookupCounts,
      routing: options.routing,
    },
    events,
  )
  const watch = routing && new PeerWatch(routing.peers, (state) => events.reachable(state))
  return {
    url,
    port,
    respPort: server.respPort,
    failed: threads.failed,
    renewTls(pair) {
      server.renewTls(pair)
      threads.renewTls(pair)
    },
    replaceToken(text) {
      token.replace(text)
      routing?.replaceToken(text)
      server.tokenReplaced()
      threads.replaceToken(text)
      events.tokenReplaced(text)
    },
    setGroup(group) {
      threads.setGroup(group)
      if (routed.setGroup(group)) watch?.groupChanged()
    },
    get peers() {
      return watch?.states ?? new Map()
    },
    setLogLevel(level) {
      changeLogLevel(level)
      relay.setLogLevel(level)
      threads.setLogLevel(level)
      events.logLevelChanged(level)
    },
    showSettings(reread) {
      facts.settings = facts.settings.map((one) => reread.find(({ name }) => name === one.name) ?? one)
      threads.showSettings(facts.settings)
    },
    async stop(drainTimeoutMs) {
      watch?.close()
      await Promise.all([server.stop(drainTimeoutMs), threads.stop(drainTimeoutMs)])
      routing?.close()
    },
  }
}
