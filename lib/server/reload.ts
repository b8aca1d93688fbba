/** Handler of SIGHUP: reads token, certificate and log level again, and uses them if all of them are valid. */
import {
  type ConfigInput,
  readAgain,
  type ReloadedSettings,
  type Settings,
  type SettingTexts,
} from '../config/index.ts'
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import { loggerOf, logLevels } from '../log/index.ts'
import { tokenNotices } from './notices.ts'
import type { Server } from './server.ts'
import type { ServiceReports } from './service-manager.ts'

/**
 * Minimum time between two reloads. The renewal of a certificate ends the listener of the previous one, which needs time
 * to accept the connections in its queue; the rest would be reset.
 */
const intervalMs = 1_000

type ReloadedServer = Pick<Server, 'renewTls' | 'replaceToken' | 'setLogLevel' | 'showSettings'>

export class Reload {
  readonly #input: ConfigInput
  readonly #texts: SettingTexts
  readonly #corsOrigins: readonly string[] | undefined
  #inForce: ReloadedSettings
  #server: ReloadedServer | undefined
  #reports: Pick<ServiceReports, 'reloading' | 'reloaded'> | undefined
  #timer: Timer | undefined
  #isWanted = false
  #isStopped = false

  /** Installs the handler, because SIGHUP ends a process without one. A reload waits until there is a server. */
  constructor(input: ConfigInput, settings: Settings, texts: SettingTexts) {
    const { serverToken: token, serverTls: tls, logLevel, corsOrigins } = settings
    this.#input = input
    this.#texts = texts
    this.#corsOrigins = corsOrigins
    this.#inForce = { token, tls, logLevel }
    process.on('SIGHUP', () => this.#requested())
  }

  begin(server: ReloadedServer, reports: Pick<ServiceReports, 'reloading' | 'reloaded'>): void {
    this.#server = server
    this.#reports = reports
    if (this.#isWanted) this.#act()
  }

  /** Later signals are ignored. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Acts at once, or at the end of the interval since it acted last. Signals until then are one. */
  #requested(): void {
    this.#isWanted = true
    if (this.#server !== undefined && this.#timer === undefined) this.#act()
  }

  #act(): void {
    if (this.#isStopped) return
    this.#isWanted = false
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#isWanted) this.#act()
    }, intervalMs).unref()
    this.#reports!.reloading()
    this.#reload(this.#server!)
    this.#reports!.reloaded()
  }

  /** Never throws: faults are logged, and what was in force stays so. */
  #reload(server: ReloadedServer): void {
    const log = loggerOf('main')
    try {
      const unchanged = { ...this.#inForce, corsOrigins: this.#corsOrigins }
      const { settings, effective, others } = readAgain(this.#input, this.#texts, unchanged)
      if (!this.#apply(server, settings)) {
        log.info('SIGHUP: read the settings again; token, certificate and log level are the same')
      }
      server.showSettings(effective)
      const message = '{variables} differ from those of the start: they take effect at a restart'
      if (others.length > 0) log.warn(message, { variables: others.join(', ') })
    } catch (thrown) {
      log.error('Reading the settings again: {error}. What was in force stays so', { error: faultsOf(thrown) })
    }
  }

  /** @returns whether anything has changed */
  #apply(server: ReloadedServer, { token, tls, logLevel }: ReloadedSettings): boolean {
    const before = this.#inForce
    const log = loggerOf('main')
    const hasOtherLevel = logLevel !== before.logLevel
    // The lines below are logged if either level allows that.
    const isMore = logLevels.indexOf(logLevel) < logLevels.indexOf(before.logLevel)
    const hasOtherPair = tls !== undefined && (tls.cert !== before.tls?.cert || tls.key !== before.tls.key)
    // First, because it may fail.
    if (hasOtherPair) server.renewTls(tls)
    this.#inForce = { token, tls, logLevel }
    if (isMore) server.setLogLevel(logLevel)
    if (hasOtherPair) {
      const { subject, validUntil } = tls
      const until = validUntil.toISOString()
      log.info('Renewed the certificate: {subject}, valid until {until}', { subject, until })
    }
    const hasOtherToken = token !== undefined && token !== before.token
    if (hasOtherToken) {
      server.replaceToken(token)
      log.info('Another token is required now; connections that the former one has opened end within 60 s')
      for (const sentence of tokenNotices(token)) log.warn('{sentence}', { sentence })
    }
    if (hasOtherLevel) log.info('Log level {from} changed to {to}', { from: before.logLevel, to: logLevel })
    if (hasOtherLevel && !isMore) server.setLogLevel(logLevel)
    return hasOtherPair || hasOtherToken || hasOtherLevel
  }
}

/** In one line. */
function faultsOf(thrown: unknown): string {
  const faults = isInstance(thrown, LatchkeyError) ? thrown.details['faults'] : undefined
  return Array.isArray(faults) ? faults.join('; ') : messageOf(thrown)
}
