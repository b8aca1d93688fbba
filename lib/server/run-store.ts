/** Runs the store and its servers until a signal or a failure, and stops them. */
import type { EffectiveSetting, Settings } from '../config/index.ts'
import { deadline } from '../deadline.ts'
import type { Definition } from '../definition/index.ts'
import type { LatchkeyError } from '../errors.ts'
import { logFatal, loggerOf, warnEach } from '../log/index.ts'
import { ShutdownNotice } from '../store-protocol/shutdown-notice.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import { showProgress } from '../store/progress-display.ts'
import { ownThreads } from '../store/store-port.ts'
import { printBanner } from './banner.ts'
import type { ServerOptions } from './notices.ts'
import { printerOf } from './output.ts'
import type { Reload } from './reload.ts'
import { elasticInstanceOf, groupEventsOf, runGroup, withGroup } from './run-group.ts'
import { openShared, startServer } from './server.ts'
import { reportToServiceManager } from './service-manager.ts'
import { signalled } from './signals.ts'

const drainTimeoutMs = 5_000
const closeTimeoutMs = 20_000

export interface RunOptions {
  readonly settings: Settings
  readonly effective: readonly EffectiveSetting[]
  readonly logging: StoreLogging
  readonly definition: Definition
  readonly http: ServerOptions
  /** To be logged as warnings. */
  readonly notices: readonly string[]
  readonly reload: Reload
  /** Path of the service manager's socket; absent without one. */
  readonly notifySocket: string | undefined
  readonly version: string
}

/**
 * @returns why it has failed; undefined after a signal
 * @throws Error if the store cannot be closed in time
 */
export async function runStore(options: RunOptions): Promise<LatchkeyError | undefined> {
  const { settings, effective, logging, definition, http, notices, reload, notifySocket, version } = options
  const {
    serverToken: _,
    serverTokenPlace: tokenPlace,
    serverTls: _tls,
    httpThreads: readerThreads,
    shutdownDelay,
    group: _group,
    ...kept
  } = settings
  const shutdownNotice = ShutdownNotice.buffer()
  const ended = signalled(shutdownDelay, () => {
    new ShutdownNotice(shutdownNotice).give(shutdownDelay)
    reports.leaving(shutdownDelay)
  })
  const config = withGroup({ ...kept, readerThreads, shutdownNotice }, settings)
  const instance = elasticInstanceOf(settings, config, logging)
  const shared = openShared(config, logging, definition, instance?.observe(ownThreads))
  const { store } = shared
  // If the port is taken, this throws and ends the process before the store thread contacts Kafka.
  const server = startServer(shared, http, version, effective, groupEventsOf(instance))
  const group = runGroup(instance, settings, store, server, http)
  const topic = settings.sourceTopic || settings.changelogTopic
  const { url, respPort } = server
  const banner = { version, topic, url, respPort, hasToken: http.token !== undefined, tokenPlace }
  const reports = reportToServiceManager(store, notifySocket)
  reload.begin(server, reports)
  const ends = [
    () => reload.stop(),
    showProgress(store, process.stderr, logging.clearsLine === true && !logging.structured),
    printBanner(store, banner, printerOf(logging)),
    () => reports.end(settings.group?.handoverSeconds),
  ]
  warnEach('main', notices)
  const failure = (await Promise.race([store.failed, server.failed, group.failed, ended])) ?? undefined
  for (const end of ends) end()
  if (failure) logFatal(`store ${store.id} has failed: ${failure.message}`, settings.structuredLogging)
  await group.leave(failure)
  await server.stop(drainTimeoutMs)
  const isLate = await deadline(store.close(), closeTimeoutMs, () => true)
  if (isLate === true) throw new Error(`Closing store ${store.id}: not done within ${closeTimeoutMs / 1000} s`)
  if (!failure) loggerOf('main').info('Stopped: all connections and store {store} are closed', { store: store.id })
  return failure
}
