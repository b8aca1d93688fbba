/** Handler of SIGHUP: reads certificate and key again, and uses them if they are valid. */
import { readTlsPair, type TlsPaths } from '../config/tls-pair.ts'
import { messageOf } from '../errors.ts'
import { loggerOf } from '../log/index.ts'
import type { HttpServer } from './listen.ts'

/**
 * Minimum time between two renewals. A renewal ends the listener of the previous one, which needs time to accept the
 * connections in its queue; the rest would be reset.
 */
const intervalMs = 1_000

/** Installs the handler. Without one, SIGHUP ends the process. */
export function renewOnHangup(server: Pick<HttpServer, 'renewTls'>, paths: TlsPaths | undefined): void {
  const renew = spaced(() => {
    if (paths) renewCertificate(server, paths)
    else loggerOf('http').info('SIGHUP: no certificate to read again; SERVER_TLS_CERT is not set')
  })
  process.on('SIGHUP', renew)
}

/** Returns a function that acts at once, or at the end of the interval since it acted last. Calls until then are one. */
function spaced(action: () => void): () => void {
  let timer: Timer | undefined
  let isWanted = false
  const act = () => {
    isWanted = false
    timer = setTimeout(() => {
      timer = undefined
      if (isWanted) act()
    }, intervalMs).unref()
    action()
  }
  return () => {
    if (timer === undefined) act()
    else isWanted = true
  }
}

/** Never throws: faults of the new pair are logged, and the previous pair stays in use. */
function renewCertificate(server: Pick<HttpServer, 'renewTls'>, paths: TlsPaths): void {
  const faults: string[] = []
  try {
    const pair = readTlsPair(paths, faults)
    if (pair) {
      server.renewTls(pair)
      const { subject, validUntil } = pair
      const until = validUntil.toISOString()
      loggerOf('http').info('Renewed the certificate: {subject}, valid until {until}', { subject, until })
    }
  } catch (thrown) {
    faults.push(messageOf(thrown))
  }
  if (faults.length === 0) return
  const message = 'Renewing the certificate: {error}; the previous certificate stays in use'
  loggerOf('http').error(message, { error: faults.join('; ') })
}
